// A certified OpenID provider on 127.0.0.1: node serve.mjs ISSUER REDIRECT_URI SECRET.
// It has one client for each algorithm and for each way to send the secret.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [issuer, redirectUri, secret] = process.argv.slice(2);
const key = (kind, options) => generateKeyPairSync(kind, options).privateKey.export({ format: "jwk" });
const client = (client_id, more) => ({
  client_id, client_secret: secret, redirect_uris: [redirectUri], grant_types: ["authorization_code"], response_types: ["code"], ...more,
});
const algorithms = ["RS256", "PS256", "ES256", "Ed25519"];

const provider = new Provider(issuer, {
  clients: [
    ...algorithms.map((alg) => client(alg, { id_token_signed_response_alg: alg })),
    client("post", { token_endpoint_auth_method: "client_secret_post" }),
    client("public", { client_secret: undefined, token_endpoint_auth_method: "none" }),
  ],
  jwks: { keys: [key("rsa", { modulusLength: 2048 }), key("ec", { namedCurve: "P-256" }), key("ed25519")] },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["preferred_username", "name"], email: ["email", "email_verified"] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, preferred_username: `${sub} by name`, email: `${sub}@example.org`, email_verified: true }),
  }),
  cookies: { keys: ["of this run alone"] },
});
provider.listen(new URL(issuer).port, "127.0.0.1", () => console.log("listening"));
