"""Function words by language: articles, prepositions, pronouns, conjunctions, auxiliaries.

A search for several words does not require them, and those that occur in a text show its language.
The lists use the form in which words are compared (`folding.fold_plain_word`).
tests/domain/text/test_languages.py checks the lists against PostgreSQL's own where it has one.
"""

_EN = """
a about after again against all am an and any are as at be because been before being below between
both but by can cannot could did do does doing don down during each few for from further had has
have having he her here hers herself him himself his how i if in into is it its itself just me more
most my myself no nor not now of off on once only or other our ours ourselves out over own same she
should so some such than that the their theirs them themselves then there these they this those
through to too under until up very was we were what when where which while who whom why will with
would you your yours yourself yourselves
"""
_DE = """
aber alle allem allen aller alles als also am an andere anderen auch auf aus bei bin bis bist da
damit dann das dass dein dem den denn der des dich die dies diese diesem diesen dieser dieses dir
doch dort du durch ein eine einem einen einer eines er es euer fur gegen hab habe haben hat hatte
hatten hier hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist jede jedem jeden jeder
jetzt kann kein keine keinen konnen konnte mein meine mich mir mit muss nach nicht nichts noch nun
nur ob oder ohne sehr sein seine seinem seinen seiner selbst sich sie sind so soll sollen solche
sondern sonst uber um und uns unser unter viel vom von vor war waren was weil welche wenn werde
werden wie wieder will wir wird wo wurde wurden zu zum zur zwar zwischen
"""
_FR = """
a ai ainsi apres au aucun aussi aux avait avant avec avoir c ce cela ces cet cette ceux chez comme
contre d dans de depuis des deux donc du elle elles en encore entre est et etaient etait ete etre eu
fait il ils j je jusqu l la le les leur leurs lui m ma mais me meme mes mon n ne ni nos notre nous
on ont ou par pas plus pour pourquoi qu quand que quel quelle qui s sa sans se sera ses si son sont
sous sur t ta te tes toi ton tous tout toute toutes tres tu un une va vers vos votre vous y
"""
_ES = """
a al algo ante antes aqui asi aun aunque bajo cada como con contra cual cuando de del desde donde
dos durante e el ella ellas ellos en entre era es esa ese eso esta estaba estan estas este esto
estos fue fueron ha habia han hasta hay la las le les lo los mas me mi mientras muy nada ni no nos
nosotros nuestra nuestro o otra otro otros para pero poco por porque pues que quien quienes se sea
segun ser si sin sobre solo son su sus tambien tan tanto te tiene tienen todo todos tras tu un una
uno unos y ya yo
"""
_IT = """
a ad agli ai al alla alle allo anche ancora avere aveva c che chi ci come con contro cosa cui da
dagli dai dal dalla dalle degli dei del della delle dello di dopo dove e ed era essere fa fra gli ha
hanno ho i il in io la le lei li lo loro lui ma mi mia mio ne nei nel nella nelle nello noi non
nostra nostro o ogni per perche piu prima qual quale quando quanto quella quelle quello questa
queste questi questo se senza si sia sono sta su sua sue sugli sui sul sulla suo suoi tra tu tutti
tutto un una uno vi voi
"""
_PT = """
a ao aos as ate com como contra da das de dela dele depois do dos e ela elas ele eles em entre era
essa esse esta estao estava este eu foi foram ha isso isto ja la lhe mais mas me mesmo meu minha
muito na nao nas nem no nos nossa nosso num numa o os ou para pela pelas pelo pelos por porque qual
quando que quem se sem ser seu seus so sobre sua suas tambem te tem tinha um uma voce
"""
_NL = """
aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens
en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe hun iets ik in is ja je kan kon
kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat ons ook op over
reeds te tegen toch toen tot u uit uw van veel voor want waren was wat we wel werd wezen wie wil
worden wordt zal ze zelf zich zij zijn zo zonder zou
"""
_SV = """
alla allt att av blev bli blir da dar de dem den denna deras dess dessa det detta dig din dina du
efter ej eller en er ett fran for ha hade han hans har henne hennes hon honom hur i icke in ingen
inom inte jag kan kunde man med mellan men mig min mina mitt mot mycket nar nagon nagot ni nu och om
oss pa sa sadan sedan sig sin sina sitt sjalv skulle som till under upp ut utan vad var vara vi vid
vilka vilken vill at
"""
_DA = """
ad af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din disse dog
du efter eller en end er et for fra ham han hans har havde have hende hendes her hos hun hvad hvis
hvor i ikke ind jeg jer kunne man mange med meget men mig min mine mit mod nar ned noget nogle nu og
ogsa om op os over pa sadan selv sig sin sine sit skal skulle som til ud under var vi vil ville vor
"""
_NO = """
alle at av bare ble bli blir da de dem den denne der dere deres det dette din disse du eller en er
et etter for fra ha hadde han hans har henne her hos hun hva hvem hver hvis hvor i ikke ikkje inn
jeg kan kunne man mange med meg mellom men mer min mitt mot na nar noe noen og ogsa om opp oss over
pa sa seg selv si siden sin skal skulle slik som til under ut uten var ved vi vil ville
"""
_FI = """
ei eivat emme en ette ettei etta han hanen hanta he heidan ja jo jonka jos joka jotka kanssa kuin
kun koska me meidan mika mina minun mita mukaan mutta myos ne niin niita nyt oli olisi olivat olla
ole on ovat sen siella siina sina sita se tai tama taman tassa te tuo vaan vai vaikka varten vain
"""
_HU = """
a ahogy aki ahol alatt amely ami amikor annak az azok azt azon azonban be csak de e egy egyik el
ellen en es ez ezek ezt ezen fel hogy ha hiszen is igy itt jo ki kell lehet le lenni lesz maga mar
meg mert mely mi mint mind minden mit mivel most nagy ne nek nem o ok olyan ott pedig s saját sem
szerint szinte tehat tobb ugy utan vagy van vannak volt voltak volna
"""
_RO = """
a acea aceasta aceste acest acestea acum ai al ale am ar are as asa asta au avea ca cand care cat ce
cea cei cele cel cu cum da daca dar de decat deja deoarece despre din dintr dintre doar dupa ea ei
el ele era este eu fara fi fie fiind foarte fost i ii il in insa inca intr intre isi la le li lor
lui mai mea nici noi nostru nu o ori pe pentru peste pana prin sa sale sau se si spre sub sunt sus
te toate tot toti un una unei unor unui va voi vor
"""
_PL = """
a aby ale bez bo by byc byl byla bylo byly bedzie ci co czy dla do gdy gdzie go i ich ile im ja jak
jako jest jeszcze jej jego jesli juz kiedy kto ktora ktore ktory ktorych lub ma mi mnie moze my na
nad nam nas nie niego niej nim nich o od on ona one oni oraz po pod pomimo potem przed przez przy sa
sie sobie swoje ta tak takze tam te tego tej ten to tu tych tylko tym u w wam wiec wszystko wy z za
ze zeby
"""
_CS = """
a aby aj ale ani az bez bude budou by byl byla byli bylo byt ci co coz do ho i ja jak jake jako je
jeho jej jeji jejich jen jeste ji jich jim jsem jsme jsou jste k kde kdo kdyz ke ktera ktere kteri
kterou ktery ma mezi mi mit mne muze my na nad nam nas ne nebo neni nez ni o od on ona oni ono po
pod podle pokud pouze pred pri pro proti proto protoze s se si sve svych ta tak take tato te tedy
ten tento to tohle toho tom tomu tu ty u uz v vam vas ve vsak vy z za ze
"""
_TR = """
acaba ama ancak ben beni benim bir biri birkac birsey biz bize bizi bu bundan bunu bunun cok cunku
da daha de defa diye dolayi en gibi gore ha hem hep hepsi her hic icin ile ise kadar ki kim mi mu
nasil ne neden nerede o olan olarak oldu oldugu oluyor ona onlar onun sanki sey siz sonra su tum
uzere var ve veya ya yani yeni yok
"""
_ID = """
ada adalah agar akan aku anda antara atas atau bagi bahwa beberapa belum bisa dalam dan dapat dari
dengan di dia hanya harus hingga ia ingin ini itu jika juga kami karena ke kepada kita lagi lebih
maka mereka namun oleh pada para saat saja sampai sangat saya sebagai sebuah secara sedang sejak
seperti serta setelah sudah tak tapi telah tentang terhadap tersebut tetapi tidak untuk yaitu yakni
yang
"""
_CA = """
a abans aixo al als amb aquest aquesta aquests com contra d dels del des despres dins el ella els em
en entre era es esta et fins ha han havia hi i ja l la les li lo mes molt no nomes o on per pels pel
pero perque qual quan que qui s se segons sense ser seu seva si sobre son sota tambe tot tots un una
uns va van
"""
_VI = """
ai anh ban bi boi ca cac cai can cho chua co con cua cung da dang de den di duoc hay hon khi khong
la lai len mot nay neu nhieu nhu nhung nguoi o ra rang roi sau se tai theo thi toi trong tu va van
vao ve vi voi
"""
_RU = """
а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да для до его ее
если есть еще же за здесь и из или им их к как ко когда кто ли либо мне может мы на над надо наш не
него нее нет ни них но ну о об однако он она они оно от очень по под после при про с со сам свои
себя так также такой там те тем то того тоже той только том ты у уже хотя чего чей чем что чтобы чье
чья эта эти это этого этой этом этот я
"""
_UK = """
або але без був була були було бути в вже ви від він вона вони воно все всі де для до є з за зі із й
його їй їм їх і ін інші її к коли котрі який яка яке які лише ми може на над не нас нема ні ніж о об
один по при про під після с свої себе собі так також там те того тоді той тому тут у хоча це цей ці
цього через чи що щоб як якщо я
"""
_BG = """
а аз ако ала без беше би бил била били било в вас ваш ви все всички във върху г ги го да дали до
докато дори е едва един една едно ето за зад заради и из или им има как като кога които който която
което към ли между ми много може му на над най не него нея ни ние но няма о обаче от отново по под
поне преди през при пък с са само се сега си след според сред срещу със също съм така там тази те
тези ти то това тогава този той тя у ще що я
"""
_EL = """
αλλα αν αντι απο αυτα αυτες αυτη αυτην αυτο αυτοι αυτος αυτου αυτους αυτων για γιατι δεν δυο εαν
ειναι εκεινα εκεινη εκεινο εκεινος ενα εναν ενας ενω επι εχει εχουν η ηταν θα ισως και κατα κι μα με
μετα μεταξυ μη μην μια μιας μου μονο να ο οι ομως οπου οπως οσο οταν οτι ουτε παρα περι πιο που πριν
προς πως σαν σας σε στα στη στην στις στο στον στους στων συν τα τη την της τι τις το τον του τους
των υπο χωρις ωστε ως
"""
# Without the word for `on`: in the form in which words are compared it equals the name Ali.
_AR = """
ابو اذا الا التي الذي الذين الى الي او اي ان انه انها بان بعد بعض بل بها به بين تحت تلك تم ثم جدا
حتى حتي حول حين حيث خلال دون ذلك سوف سوي ضد ضمن عام عبر عدم عدد عليه عليها عن عند عندما غير فان في
فيه فيها قبل قد كان كانت كل كلا كما لا لدي لقد لكن لم لماذا لن له لها لهذا لهذه لو ليس ما مثل مع مما
من منذ منها منه نحو هذا هذه هل هم هنا هناك هو هي و وفي وقد وقال ولا ولم ومن وهو وهي يكون يمكن
"""
_FA = """
اما ان اند او اي اين اينكه با بايد بر براي بود بودند بوده به بي بين تا تر ترين تمام توسط چه چون چند
حتي خود خواهد در درباره ديگر را روي زير سپس سوي شان شد شدن شده شود ضد طبق طي علت عليه كرد كردن كرده
كسي كن كند كنند كه ما مانند مگر من مي نبايد نه نمي نيز نيست هر هم همان همه همچنين هنوز هيچ و وي يا
يك يكي هاي است اگر
"""
_HI = """
अपना अपनी अपने अब आदि आप इन इस इसका इसके इसे उन उनका उनकी उनके उस उसका उसके उसे एक एवं ऐसे और कई कर
करता करना करने कहा का किया की किसी कुछ के को कोई कौन गई गए गया जब जा जाता जैसे जो तक तब तरह तो था थी
थे दिया दो नहीं ना ने पर फिर बहुत बाद बारे भी में मैं यदि यह या ये रहा रहे लिए लेकिन व वह वे सभी साथ
से हम ही हुआ हुई हुए है हैं हो होता होती होने
"""

LISTS = {
    "en": _EN, "de": _DE, "fr": _FR, "es": _ES, "it": _IT, "pt": _PT, "nl": _NL, "sv": _SV,
    "da": _DA, "no": _NO, "fi": _FI, "hu": _HU, "ro": _RO, "pl": _PL, "cs": _CS, "tr": _TR,
    "id": _ID, "ca": _CA, "vi": _VI, "ru": _RU, "uk": _UK, "bg": _BG, "el": _EL, "ar": _AR,
    "fa": _FA, "hi": _HI,
}  # fmt: skip
