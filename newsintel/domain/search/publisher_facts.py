"""Facts about publishers: the country of the newsroom and the language of the site, by host.

They are those of the default feed list. A site in several languages has none here. State
ownership, opinion and the like are no facts of this table.
"""

from collections.abc import Mapping

from attrs import frozen

_TABLE = """
bbc.com GB -; theguardian.com GB en; france24.com FR -; washingtonpost.com US en;
cnbc.com US en; nationalpost.com CA en; thehindu.com IN en; timesofindia.indiatimes.com IN en;
ndtv.com IN en; scmp.com HK en; premiumtimesng.com NG en; tagesschau.de DE de; zeit.de DE de;
faz.net DE de; correctiv.org DE de; lapresse.ca CA fr; elpais.com ES es; elmundo.es ES es;
eldiario.es ES es; repubblica.it IT it; folha.uol.com.br BR pt; meduza.io LV -; vnexpress.net VN vi;
seznamzpravy.cz CZ cs; theverge.com US en; wired.com US en; engadget.com US en; nature.com GB en;
sciencedaily.com US en; aljazeera.com QA en; nytimes.com US en; dw.com DE -; cbc.ca CA en;
abc.net.au AU en; politico.eu BE en; ft.com GB en; hongkongfp.com HK en; rappler.com PH en;
thediplomat.com US en; nation.africa KE en; dailymaverick.co.za ZA en; themoscowtimes.com NL en;
lemonde.fr FR fr; spiegel.de DE de; sueddeutsche.de DE de; orf.at AT de; ansa.it IT it;
nrc.nl NL nl; nrk.no NO no; netzpolitik.org DE de; asahi.com JP ja; arstechnica.com US en;
technologyreview.com US en; techcrunch.com US en; restofworld.org US en; krebsonsecurity.com US en;
cisa.gov US en; who.int CH -; carbonbrief.org GB en; npr.org US en; propublica.org US en;
mongabay.com US en; straitstimes.com SG en; ecb.europa.eu DE -
"""


@frozen
class PublisherFacts:
    """What is known of a publisher.

    Attributes:
        country: two capitals (ISO 3166-1), or None.
        language: two letters, or None.
    """

    country: str | None = None
    language: str | None = None


UNKNOWN = PublisherFacts()


def _read_table() -> dict[str, PublisherFacts]:
    rows = (entry.split() for entry in " ".join(_TABLE.split()).split("; "))
    return {
        host: PublisherFacts(country, None if language == "-" else language)
        for host, country, language in rows
    }


PUBLISHERS: Mapping[str, PublisherFacts] = _read_table()
"""Facts by the host of canonical addresses."""

COUNTRIES = frozenset(facts.country for facts in PUBLISHERS.values() if facts.country)
"""The countries of the feed list."""


def find_publisher_facts(host: str) -> PublisherFacts:
    """Return the facts about the site of a host or of its parent domain."""
    labels = host.split(".")
    parents = (".".join(labels[place:]) for place in range(len(labels) - 1))
    return next((PUBLISHERS[name] for name in parents if name in PUBLISHERS), UNKNOWN)
