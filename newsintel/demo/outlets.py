"""The invented outlets of the invented news. Nobody can own a name under .example (RFC 2606)."""

from attrs import frozen


@frozen
class Outlet:
    """A news outlet.

    Attributes:
        host: the host of its site, without www.
        id: NewsAPI's slug; None, because many outlets have no slug.
        reach: popularity, 0..1.
    """

    name: str
    host: str
    id: str | None
    reach: float


GUARDIAN = Outlet("The Demo Guardian", "guardian.example", "the-guardian-demo", 0.9)
"""Takes the place of the newspaper of the Guardian's API. The other outlets imitate no real one."""
OUTLETS = (
    Outlet("The Meridian Post", "meridianpost.example", "the-meridian-post", 1.0),
    Outlet("Kestrel Wire", "kestrelwire.example", "kestrel-wire", 0.95),
    Outlet("Vantry Times", "vantrytimes.example", "vantry-times", 0.8),
    Outlet("Tessera Business", "tesserabusiness.example", "tessera-business", 0.7),
    Outlet("Signal & Circuit", "signalcircuit.example", "signal-and-circuit", 0.7),
    Outlet("Northway Courier", "northwaycourier.example", None, 0.5),
    Outlet("Harbour Gazette", "harbourgazette.example", None, 0.4),
    Outlet("Oakhaven Herald", "oakhavenherald.example", None, 0.4),
    Outlet("Blue Marble Science", "bluemarble.example", None, 0.6),
    Outlet("Aperture Daily", "aperturedaily.example", None, 0.5),
    Outlet("Calder Valley News", "caldervalley.example", None, 0.2),
    Outlet("Sixpenny Review", "sixpennyreview.example", None, 0.3),
)
AUTHORS = (
    "Imara Quill",
    "Tobias Fenwright",
    "Lucía Armandel",
    "Pell Okonjo-Marsh",
    "Greta Halloway-Lind",
    "Anselm Duarte",
    "Niamh Castellane",
    "Ravi Thornquist",
    "Odile Bramwell",
    "Jun Harrowgate",
)
