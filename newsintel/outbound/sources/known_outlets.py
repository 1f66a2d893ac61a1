"""Names of outlets by their domain, as NewsAPI writes them in its rows."""

_TABLE = """
abc.net.au                  ABC News (AU)
abcnews.go.com              ABC News
afr.com                     Australian Financial Review
aftenposten.no              Aftenposten
aljazeera.com               Al Jazeera English
ansa.it                     ANSA.it
apnews.com                  Associated Press
argaam.com                  Argaam
arstechnica.com             Ars Technica
arynews.tv                  Ary News
axios.com                   Axios
bbc.co.uk                   BBC News
bbc.com                     BBC News
bild.de                     Bild
billboard.com               Billboard
bleacherreport.com          Bleacher Report
bloomberg.com               Bloomberg
breitbart.com               Breitbart News
businessinsider.com         Business Insider
buzzfeed.com                Buzzfeed
cbc.ca                      CBC News
cbsnews.com                 CBS News
cbssports.com               CBS Sports
ccn.com                     Crypto Coins News
cnbc.com                    CNBC
cnn.com                     CNN
cnnespanol.cnn.com          CNN Spanish
dailymail.co.uk             Daily Mail
elmundo.es                  El Mundo
engadget.com                Engadget
espn.com                    ESPN
espncricinfo.com            ESPN Cric Info
ew.com                      Entertainment Weekly
financialpost.com           Financial Post
focus.de                    Focus
football-italia.net         Football Italia
forbes.com                  Forbes
fortune.com                 Fortune
fourfourtwo.com             FourFourTwo
foxbusiness.com             Fox Business
foxnews.com                 Fox News
foxsports.com               Fox Sports
ft.com                      Financial Times
globalnews.ca               Global News
globo.com                   Globo
handelsblatt.com            Handelsblatt
hollywoodreporter.com       Hollywood Reporter
huffpost.com                The Huffington Post
ign.com                     IGN
ilsole24ore.com             Il Sole 24 Ore
independent.co.uk           Independent
indiatimes.com              The Times of India
infobae.com                 Infobae
infomoney.com.br            InfoMoney
irishtimes.com              The Irish Times
jpost.com                   The Jerusalem Post
ladbible.com                The Lad Bible
lagaceta.com.ar             La Gaceta
lanacion.com.ar             La Nacion
lemonde.fr                  Le Monde
lenta.ru                    Lenta
lequipe.fr                  L'equipe
lesechos.fr                 Les Echos
liberation.fr               Libération
marca.com                   Marca
mashable.com                Mashable
medicalnewstoday.com        Medical News Today
metro.co.uk                 Metro
mirror.co.uk                Mirror
msnbc.com                   MSNBC
mtv.com                     MTV News
nationalgeographic.com      National Geographic
nationalreview.com          National Review
nbcnews.com                 NBC News
news.com.au                 News.com.au
news.google.com             Google News
news.ycombinator.com        Hacker News
news24.com                  News24
newscientist.com            New Scientist
newsweek.com                Newsweek
nextbigfuture.com           Next Big Future
nfl.com                     NFL News
nhl.com                     NHL News
nrk.no                      NRK
nymag.com                   New York Magazine
nypost.com                  New York Post
nytimes.com                 The New York Times
politico.com                Politico
polygon.com                 Polygon
rappler.com                 Rappler
rbc.ru                      RBC
repubblica.it               La Repubblica
reuters.com                 Reuters
rt.com                      RT
rte.ie                      RTE
rtlnieuws.nl                RTL Nieuws
si.com                      Sports Illustrated
spiegel.de                  Spiegel Online
svd.se                      Svenska Dagbladet
t3n.de                      T3n
tagesspiegel.de             Der Tagesspiegel
talksport.com               TalkSport
techcrunch.com              TechCrunch
techradar.com               TechRadar
telegraph.co.uk             The Telegraph
theamericanconservative.com The American Conservative
theglobeandmail.com         The Globe And Mail
theguardian.com             The Guardian
thehill.com                 The Hill
thehindu.com                The Hindu
thenextweb.com              The Next Web
thestreet.com               TheStreet
theverge.com                The Verge
time.com                    Time
timesofisrael.com           The Times of Israel
usatoday.com                USA Today
vice.com                    Vice News
washingtonpost.com          The Washington Post
washingtontimes.com         The Washington Times
wired.com                   Wired
wired.de                    Wired.de
wiwo.de                     Wirtschafts Woche
wsj.com                     The Wall Street Journal
xinhuanet.com               Xinhua Net
ynet.co.il                  Ynet
youtube.com                 YouTube
zeit.de                     Die Zeit
"""

KNOWN_OUTLETS = dict(line.split(maxsplit=1) for line in _TABLE.strip().splitlines())
"""Outlets with an id at NewsAPI (https://newsapi.org/sources, and ids in recorded rows), and others
that its recorded rows call by more than their domain. `The Guardian` is also what the Guardian's
own adapter writes. A domain stands for its subdomains, too."""
