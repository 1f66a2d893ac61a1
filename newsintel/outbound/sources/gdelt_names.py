"""GDELT's names of countries and languages, by the codes that we use.

Its DOC API names a publisher's country and language in English (guides/LOOKUP-COUNTRIES.TXT and
LOOKUP-LANGUAGES.TXT at data.gdeltproject.org); its files of translated news name the language by
three letters (ISO 639-2/T).
"""

_COUNTRIES = """
AF Afghanistan; AL Albania; DZ Algeria; AS American Samoa; AD Andorra; AO Angola; AI Anguilla;
AG Antigua and Barbuda; AR Argentina; AM Armenia; AW Aruba; AU Australia; AT Austria;
AZ Azerbaijan; BS Bahamas; BS Bahamas, The; BH Bahrain; BD Bangladesh; BB Barbados; BY Belarus;
BE Belgium; BZ Belize; BJ Benin; BM Bermuda; BT Bhutan; BO Bolivia; BA Bosnia and Herzegovina;
BA Bosnia-Herzegovina; BW Botswana; BR Brazil; VG British Virgin Islands; BN Brunei; BG Bulgaria;
BF Burkina Faso; MM Burma; BI Burundi; KH Cambodia; CM Cameroon; CA Canada; CV Cape Verde;
KY Cayman Islands; CF Central African Republic; TD Chad; CL Chile; CN China; CO Colombia;
KM Comoros; CG Congo; CG Republic of the Congo; CD Democratic Republic of the Congo;
CK Cook Islands; CR Costa Rica; CI Cote d'Ivoire; CI Ivory Coast; HR Croatia; CU Cuba;
CW Curacao; CY Cyprus; CZ Czech Republic; CZ Czechia; DK Denmark; DJ Djibouti; DM Dominica;
DO Dominican Republic; TL East Timor; TL Timor-Leste; EC Ecuador; EG Egypt; SV El Salvador;
GQ Equatorial Guinea; ER Eritrea; EE Estonia; SZ Swaziland; SZ Eswatini; ET Ethiopia;
FK Falkland Islands; FO Faroe Islands; FJ Fiji; FI Finland; FR France; GF French Guiana;
PF French Polynesia; GA Gabon; GM Gambia; GM Gambia, The; PS Gaza Strip; PS West Bank;
PS Palestine; PS Palestinian Territory; GE Georgia; DE Germany; GH Ghana; GI Gibraltar;
GR Greece; GL Greenland; GD Grenada; GP Guadeloupe; GU Guam; GT Guatemala; GG Guernsey;
GN Guinea; GW Guinea-Bissau; GY Guyana; HT Haiti; HN Honduras; HK Hong Kong; HU Hungary;
IS Iceland; IN India; ID Indonesia; IR Iran; IQ Iraq; IE Ireland; IM Isle of Man; IL Israel;
IT Italy; JM Jamaica; JP Japan; JE Jersey; JO Jordan; KZ Kazakhstan; KE Kenya; KI Kiribati;
XK Kosovo; KW Kuwait; KG Kyrgyzstan; LA Laos; LV Latvia; LB Lebanon; LS Lesotho; LR Liberia;
LY Libya; LI Liechtenstein; LT Lithuania; LU Luxembourg; MO Macau; MK Macedonia;
MK North Macedonia; MG Madagascar; MW Malawi; MY Malaysia; MV Maldives; ML Mali; MT Malta;
MH Marshall Islands; MQ Martinique; MR Mauritania; MU Mauritius; MX Mexico; FM Micronesia;
MD Moldova; MC Monaco; MN Mongolia; ME Montenegro; MS Montserrat; MA Morocco; MZ Mozambique;
MM Myanmar; NA Namibia; NR Nauru; NP Nepal; NL Netherlands; NC New Caledonia; NZ New Zealand;
NI Nicaragua; NE Niger; NG Nigeria; NU Niue; KP North Korea; MP Northern Mariana Islands;
NO Norway; OM Oman; PK Pakistan; PW Palau; PA Panama; PG Papua New Guinea; PY Paraguay; PE Peru;
PH Philippines; PL Poland; PT Portugal; PR Puerto Rico; QA Qatar; RE Reunion; RO Romania;
RU Russia; RU Russian Federation; RW Rwanda; KN Saint Kitts and Nevis; LC Saint Lucia;
VC Saint Vincent and the Grenadines; WS Samoa; SM San Marino; ST Sao Tome and Principe;
SA Saudi Arabia; SN Senegal; RS Serbia; SC Seychelles; SL Sierra Leone; SG Singapore;
SK Slovak Republic; SK Slovakia; SI Slovenia; SB Solomon Islands; SO Somalia; ZA South Africa;
KR South Korea; SS South Sudan; ES Spain; LK Sri Lanka; SD Sudan; SR Suriname; SE Sweden;
CH Switzerland; SY Syria; TW Taiwan; TJ Tajikistan; TZ Tanzania; TH Thailand; TG Togo; TO Tonga;
TT Trinidad and Tobago; TN Tunisia; TR Turkey; TM Turkmenistan; TC Turks and Caicos Islands;
TV Tuvalu; UG Uganda; UA Ukraine; AE United Arab Emirates; GB United Kingdom; US United States;
UY Uruguay; UZ Uzbekistan; VU Vanuatu; VA Vatican City; VE Venezuela; VN Vietnam;
VI Virgin Islands; EH Western Sahara; YE Yemen; ZM Zambia; ZW Zimbabwe
"""

_LANGUAGES = """
af afr Afrikaans; sq sqi Albanian; ar ara Arabic; hy hye Armenian; az aze Azerbaijani;
bn ben Bengali; bs bos Bosnian; bg bul Bulgarian; ca cat Catalan; zh zho Chinese; hr hrv Croatian;
cs ces Czech; da dan Danish; nl nld Dutch; en eng English; et est Estonian; fi fin Finnish;
fr fra French; gl glg Galician; ka kat Georgian; de deu German; el ell Greek; gu guj Gujarati;
he heb Hebrew; hi hin Hindi; hu hun Hungarian; is isl Icelandic; id ind Indonesian;
it ita Italian; ja jpn Japanese; kn kan Kannada; kk kaz Kazakh; ko kor Korean; lv lav Latvian;
lt lit Lithuanian; mk mkd Macedonian; ms msa Malay; ml mal Malayalam; mr mar Marathi;
mn mon Mongolian; ne nep Nepali; no nor Norwegian; no nob NorwegianBokmal;
nn nno NorwegianNynorsk; fa fas Persian; pl pol Polish; pt por Portuguese; pa pan Punjabi;
ro ron Romanian; ru rus Russian; sr srp Serbian; si sin Sinhalese; sk slk Slovak; sl slv Slovenian;
so som Somali; es spa Spanish; sw swa Swahili; sv swe Swedish; ta tam Tamil; te tel Telugu;
th tha Thai; bo bod Tibetan; tr tur Turkish; uk ukr Ukrainian; ur urd Urdu; vi vie Vietnamese
"""


def _split_table(table: str) -> list[list[str]]:
    return [entry.split() for entry in " ".join(table.split()).split("; ")]


_CODE_OF_COUNTRY = {" ".join(name).lower(): code for code, *name in _split_table(_COUNTRIES)}
_CODE_OF_LANGUAGE = {name.lower(): code for code, _, name in _split_table(_LANGUAGES)} | {
    three: code for code, three, _ in _split_table(_LANGUAGES)
}
_NAME_OF_LANGUAGE = {code: name.lower() for code, _, name in reversed(_split_table(_LANGUAGES))}


def find_country(name: object) -> str | None:
    """Return a country's code, two capitals (ISO 3166-1), by GDELT's name; None if unknown."""
    return _CODE_OF_COUNTRY.get(name.strip().lower()) if isinstance(name, str) else None


def find_language(name: object) -> str | None:
    """Return a language's two letters by GDELT's name or by its three letters; None if unknown."""
    if not isinstance(name, str):
        return None
    return _CODE_OF_LANGUAGE.get(name.replace(" ", "").lower())


def name_language(code: str) -> str | None:
    """Return the name by which GDELT filters by a language; None if it has none."""
    return _NAME_OF_LANGUAGE.get(code)
