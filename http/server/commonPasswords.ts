/**
 * Passwords and words that guessing programs try first. From the lists of zxcvbn (Copyright 2012-2016 Dan Wheeler and Dropbox, Inc.;
 * 2021 zxcvbn-ts; MIT licence), which were made of leaked passwords, with names of this trade and known phrases added.
 */

/** Whole passwords of twelve characters and more; shorter ones are refused for their length. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
010203040506 012345678910 014702580369 01telemike01 050605rostik 102030405060 1111111111zz 111222333000
111222333444555 112233445566 122333444455555 123123qweqwe 123321123321 123321456654 123321qweewq 123456654321
12345677654321 123456782000 1234567887654321 123456789000 12345678900987654321 123456789012 1234567890987654321
1234567890qaz 1234567890qw 1234567890qwe 1234567890qwerty 1234567890zzz 123456789101 123456789123 1234567892000
12345678987654321 123456789987654321 123456789aaa 123456789abc 123456789asd 123456789qaz 123456789qqq 123456789qwe
123456789qwer 123456789qwerty 123456789zxc 1234567qwertyu 123456qwerty 123456zxcvbn 1234qwerasdf 1234qwerasdfzxcv
123ewqasdcxz 123qwe123qwe 123qwe456rty 123qweasdzxc 123qwerty123 12qw34er56ty 159753159753 159753456852 193570356033
19960610ilja 1a2a3a4a5a6a 1a2s3d4f5g6h 1q2w3e4r5t6y 1qa2ws3ed4rf 1qa2ws3ed4rf5tg 1qaz2wsx3edc 1qaz2wsx3edc4rfv
1qaz2wsx3edc4rfv5tgb 1qazxsw23edc 1qazxsw23edcvfr4 23176djivanfros 23wkoa0fp78dk 31217221027711 32615948worms
41d8cd98f00b 420842084208555 4815162342lf 4815162342lost 541233432442 59382113kevinp 6215mila6215 742617000027
89063032220m 89231243658s 89876065093rax 89semtsriuty a1s2d3f4g5h6 abc123456789 abracadabra123 admin18533362
adminadminadmin administrator administrator1 administratorpassword adminpassword aksjdlasdakj89879 alpha135792468
amadeusptfcor an83546921an13 andrewjackie antananarivu anytimetoday asd123asd123 asdfgh123456 asdfghjkl123
asdfghjklzxcvbnm auckland2010 averylongpassword averystrongpassword avrillavigne badiman28200 barcelonafc
baseballbaseball batmanbatman123 bhrh0h2oof6xbqjeh blacksonblon bltynbabrfwbz boy4u2ownnyc bpgjldsgjldthnf
bullnuts2003 businessbabe centoscentos changeme123 changemenow changemeplease changethispassword cheeseburger
chelseafootball chesterfield chickenwing101 christopher1 ciscocisco123 civilization cjdthitycndj cnfc35762209
combat123654 companypassword configuratio construction contortionist corperfmonsy correcthorse
correcthorsebatterystable correcthorsebatterystaple cosmopolitan counterstrike debiandebian defaultpassword
devilmaycry4 digitalprodu dkflbvbhjdbx dkflbvbhjdyf dockerdocker doesntmatter domainlock2005 dragondragondragon
edwardcullen elasticsearch entertainment fatima753357 finalfantasy findaupair007 fkmnthyfnbdf fktrcfylhjdbx
fktrcfylhjdf fktrcfylhjdyf flvbybcnhfnjh football123456 footballfootball foreveryoung forgotmypassword forgotpassword
frederiksberg fucktheworld fuckyoubitch fynfyfyfhbde gameofthrones gfhfktkjuhfv gfhjkmgfhjkm ghbdtnghbdtn
ghbdtnrfrltkf ghhh47hj7649 ghjatccbjyfk ghjcnjgbpltw ghjcnjgfhjkm ghjcnjghjcnj ghjcnjqgfhjkm ghjcnjrdfibyj
ghjnbdjcnjzybt ghtdtlvtldtl gjkysqgbpltw godisgood godisgreat greenlantern gthtrfnbgjkt gtnhjpfdjlcr harrypotterharry
hd764nw5d7e1vb1 hd764nw5d7e1vbv hedimaptfcor hunter2hunter2 hunter2hunter2hunter2 iampurehaha2 iamtheadmin
icantremember idontcare idontknow iloveboobies ilovemyfamily iloveyou12345 iloveyou123456 iloveyoubaby iloveyouforever
iloveyousomuch ingodwetrust installdevic installsqlst intelligence international inthename ipo54tj45uy856
iseedeadpeople jamesbond007 jesuschrist1 jesusismylord josephphone7 justinbieber justinbieber1 ktjynsq40147
kubernetes123 leavemealone letmeinadmin letmeinletmein letmeinnow letmeinplease lhbjkjubz2957704 linuxlinuxlinux
liverpoolfc lordoftherings loremipsumdolor loremipsumdolorsitamet lost4815162342 love777321777 lytdybrbdfvgbhf
lytghjgtnhjdcr mailcreated5240 manchesterunited maprchem56458 marinamarina massimiliano masterbaiting masterbating
masturbation maurolarastefy maytheforcebewithyou metallica12345 mevefalkcakk michaeljackson michaeljordan23
minecraft123 minnesota_hp momsanaladventure monkeymonkeymonkey morganstanley mortalkombat motherfucker msoracle32re
msorcloledbr mypasswordis mypasswordispassword mysecretpassword mysecurepassword mysqlmysql nagiosnagios nastyanastya
ne_e_pod_chehyl necronomicon needforspeed nemvxyheqdd5oqxyxyzi networkingpe newproject2004 nhbujyjvtnhbz nhecsyfujkjdt
nhfdvfnjkju123 nhfycajhvths nick1234-rem936 nightcrawler nondriversig nopassword123 nopasswordhere nothingtoseehere
ntktdbpjh1994 officepassword olcrackmaster onedirection1 ontheoutside opensaysme opensesameopen openthedoorplease
oracleoracle p@ssw0rdp@ssw0rd paraklast1974 passw0rdpassw0rd password1234 password123456 password1234567
password12345678 password123456789 passwordassword passwordispassword passwordpassword passwordpassword1
passwordstandard peanutbutter pfqwtd27121988 philadelphia playstation2 playstation3 polniypizdec0211 polniypizdec1102
polniypizdec110211 pornographic postgrespostgres princess123456 professional ptybnxtvgbjy punksnotdead q1w2e3r4t5y6
q1w2e3r4t5y6u7 q1w2e3r4t5y6u7i8 q1w2e3r4t5y6u7i8o9p0 qawsedrftgyh qaz123wsx456 qazwsx123456 qazwsxedc123 qazwsxedcrfv
qazwsxedcrfvtgb qazwsxedcrfvtgbyhnujm qazwsxqazwsx qazxswedc123 qazxswedcvfr qwaszxerdfcv qwe123qwe123 qweasdzxc123
qwerasdfzxcv qwertasdfgzxcvb qwerty123456 qwerty123456789 qwertyasdfgh qwertyuiop10 qwertyuiop12 qwertyuiop123
qwertyuiop12345 qwertyuiopasdf qwertyuiopasdfghjklzxcvbnm qwertyytrewq raspberrypi raspberrypi123 realmadridcf
redhatredhat residentevil rfnthbyf1988 ronaldinho10 rootpassword rootrootroot sanfrancisco satisfaction saun24865709
scandinavian schoolgirlie sdicmt7seytn secretpassword securepassword seemnemaailm sojdlg123aljg sonnenschein
sonyericsson specialinsta spring2025spring starwarsstarwars stickdaddy77 stinkyfinger stratocaster strongpassword
summer2024summer sunshine123456 superman123456 supernatural supersecretpassword superuserpassword sysadminsysadmin
systemofadown temporarypassword temppassword temppassword123 testing12345 testpassword testtesttest thecakeisalie
thequickbrownfox thequickbrownfoxjumpsoverthelazydog thisisapassword thisismypassword thisisnotmypassword ticketmaster
tobeornottobe tobeornottobethatisthequestion topsecretpassword transformers trustno1trustno1 ubuntuubuntu unbelievable
vanyarespekt verysecurepassword vfhbyfvfhbyf vfrcbvvfrcbv vfvfvskfhfve vladimirovna vmwarevmware warhammer40k
wazzkaprivet websolutions websolutionssu webuivalidat weihnachtsbau weihnachtsbaum welcome12345 welcome123456
welcometothejungle welcomewelcome whatever12345 whosyourdaddy winter2024winter winteriscoming xxxp455w0rd5
youknownothing z1x2c3v4b5n6 z1x2c3v4b5n6m7 zabbixzabbix zaq12wsxcde3 zaq1xsw2cde3 zaqwsxcderfv zcfvfzkexifz
zqjphsyf6ctifgu zxcasdqwe123 zxcvbn123456 zxcvbnm123456789 zxcvbnmmnbvcxz
`
    .trim()
    .split(/\s+/)
)

/** Words that do not make a password when only digits, signs or more of their kind are put around them. */
export const commonWords: ReadonlySet<string> = new Set(
  `
aardvark aaron aberdeen abgrtyu abigail abraham absolut access accord account achilles action active adam adgjmptw
adidas admin administrator admiral adonis adrian adriana adult aezakmi africa again aggies aikido airborne airbus
airforce airplane alabama alan alaska albatros albert alberto albina albion alejandr aleksandr alex alexande alexander
alexandr alexandra alexis alfa alfred alibaba alice alicia alien aliens alison allen alliance allison allsop alma
alpha alpine alucard always alyssa amadeus amanda amateur amazon amber amelia america american amsterda amsterdam
anaconda anakin anarchy anastasia anders anderson andre andrea andreas andrei andres andrew andrey andy anfield angel
angela angelica angelina angelo angels angie anhyeuem animal animals anime anna annette annie ansible answer anthony
anton antonio anubis anything apache apollo apple applepie apples april aquarius aragorn archer archie arizona arjay
armani arnold arsenal artemis arthur artist asdasd asdf asdfasdf asdfg asdfgh asdfghj asdfghjk asdfghjkl asdfjkl
asdzxc ashley ashton asian aspire aspirine assass assassin assman asterix astrid astros athena atlanta atlantic
atlantis atomic attack auburn auditor audrey august aurora aussie austin australi australia autumn avalon avatar
avenger awesome azamat azerty azertyuiop azsxdc azsxdcfv azure babe babes babies baby babyblue babyboy babydoll
babygirl babylon back backdoor backup bacon badass badboy baddog badger baggins bailey ball baller balloon balls
bambam banana bananas bandit bang bangbang bangkok banker banshee barbara barber barbie barcelon barcelona barkley
barney barry barsik bart baseball basket basketba basketball bass bassman bastard batman battle baxter bayern beach
beagle beaner beanie bear bearbear bears beast beastie beatles beatrice beautiful beauty beaver beavis beckham becky
beefcake beer beetle believe belinda bell bella belle bender benjamin bennett benny benson bentley berlin bernard
bernie bertha bertie bethany better betty beverly bianca bicycle bigballs bigbear bigbird bigboobs bigboy bigdaddy
bigdog bigfoot bigger biggie bigguy bigmac bigman bigmoney bigone bigred bigtime bike bikini bill billie billy
billybob billyboy bingo bird birdie birdman birthday biscuit bishop biteme bizkit blabla black blackcat blackdog
blackhaw blackie blackjac blackman blacks blacky blade blades blahblah blake blaster blazer blessed blizzard blonde
blondes blondie blood bloody blue bluebird blueblue blueboy bluedog blueeyes bluemoon blues bluesky boat bobafett
bobbie bobbob bobby bobcat boeing bogart bogdan bohica bollocks bollox bomber bond bondage bone bonehead bones bonita
bonjour bonkers bonnie bonsai boob booboo boobs booger boogie boomboom boomer bootie boots booty boris bosco boss
bossman boston bottle bottom bowler bowling bowser boxing boys brad bradford bradley brandi brando brandon brandy
brasil braves brazil breast breeze brenda brendan brian briana brianna bridge bridget brighton bristol britney
brittany broadway broken bronco broncos brooke brooklyn brooks brother brothers brown brownie browns bruce brucelee
bruins bruno brutus bryan bryant bubba bubbas bubble bubbles buck buckeye buckeyes buckshot buddha buddy budlight
budman budweise buffalo buffett buffy bugger bull bulldog bulldogs bullet bullseye bunghole bunny burger burton bush
business buster butch butler butt butter butterfl butterfly butthead butthole buttman button buttons byteme cabbage
cactus cadillac caesar caitlin calico caliente californ california caligula callaway callie calvin camaro camel
camelot camels camera cameron camilla camille campbell canada canadian cancel cancer cancun candle candy candyman
cannon canon cantona capital capone captain caramel cardinal carl carlo carlos carlton carmen carol carole carolina
caroline carolyn carpet carrera carrie carrot carson carter cartman cartoon caserta casey cash casino casper cassidy
cassie castle catalina catdog catfish catherin catherine catman cats cavalier caveman ccbill cdtnkfyf cecilia celeste
celica celine celtic celtics center centos central cessna chad chainsaw chair champ champion champs chance chandler
chanel chang change changeme chaos charger chargers charles charley charli charlie charlott charlotte charlton charly
charmed chase chaser check cheers cheese cheetah chelsea chemical cheng cherokee cherry cheryl chester chevelle
chevrole chevy chewie cheyenne chicago chichi chicken chickens chicks chico chief chiefs children china chipper chivas
chloe chocolat chocolate chong chopper chris chrisbln chrissy christ christia christian christin christina christine
christop christopher christy chronic chrono chubby chuck chucky church cigars cinder cindy cinnamon cisco city
cjkysirj cjkywt claire clancy clapton clarence classic claude claudia clayton clemson clifford clinton clipper clover
cobra cocacola coconut cody coffee cohiba coke coleman colleen college collins colombia colorado colors coltrane
columbia columbus comics command commando company compaq compute computer concrete condom condor connect conner connie
connor conrad consumer content control cookie cookies cool cooldude cooler coolguy coolio coolman cooper cooter copper
corona corrado corvette cosmo cosmos cosworth cotton cougar country courtney cowboy cowboys coyote cracker craig crash
crawford crazy crazybab cream creampie creamy creative credit cricket crimson cristina critter cruise cruiser crunch
crusader crysis crystal cthulhu cthutq cuddles cupcake curious curtis custom cutlass cutter cxfcnmt cyber cyclone
cyclops cynthia cypress daddy daewoo dagger daisy dakota dale dalejr dallas dalton damage damian damien dammit damnit
dana dance dancer dang danger danie daniel daniela danielle daniil danila danni danny dannyboy danzig daphne dark
darkness darkside darkstar darling darren darwin dave david davids davidson davis dawg dawn dawson daytona dbrnjhbz
deacon dead deadhead deadman dean deanna death debbie debian deborah december deedee deepthroat deeznuts default
defender defiant deftones delete delta demon denali denis denise deniska dennis denver depeche derrick desert design
designer desire deskjet destiny detroit development devil devildog devils dexter dfkthbz dfkthf dfktynbyf dfvgbh
dharma diablo diamond diamonds diana diesel dietcoke digger digital dilbert dilligaf dillon dima dinamo ding dingdong
dinosaur direct director dirty discover disney divine dixie dkflbckfd dkflbvbh doberman docker doctor dodge dodger
dodgeram dodgers dogg doggie doggy dogman dogs dollar dollars dolphin dolphins dominic domino donald dong donkey donna
donnie doobie doodle dookie dorian dorothy double doug doughboy douglas down downtown dracula drago dragon dragons
dragoon drake dream dreamer dreams drew driver drizzt drowssap drpepper drummer dthjybrf dublin ducati duchess duck
dude dudley duke dumbass duncan durango duster dustin dusty dylan eagle eagles eastside easy eatme eclipse eddie
eduard edward edwards eeyore eileen einstein ekaterina elaine electric element elena elephant eleven elijah elizabet
elizabeth elliot elliott elvira elvis elwood emerald emerson emily eminem emma emmanuel emmitt empire energy engage
engine engineer england english enigma enjoy enter enterpri enterprise eric erica ericsson erik ernest escape escort
esther eternity eugene europa europe evelyn everest everton excalibu exigen exigent exodus explorer express extreme
fabian fabie fabric facial faith falcon falcons fallen fallout family fang fantasy farmer farside fart fashion fast
faster fatass fatboy fatcat father fatima fatman feather february federico fedora feet felicia felix fender fernand
fernando ferrari ferret fetish ficken fiesta figaro fighter filter finger fingers finish fire fireball firebird
firefly firefox fireman first fish fisher fishes fishing fitness fktrcfylh fktrcfylhf fktrctq flames flamingo flash
flatron fletch fletcher flight flipper floppy florence florian florida flounder flower flowers floyd fluffy flyboy
flyers flying foobar football ford forest forever forfun forget forgot formula forrest fortuna fortune fossil foster
fowler foxtrot france frances francis franco francois frank frankie franklin franky freak freaks freaky freckles fred
freddie freddy frederic fredfred free freedom freeman freepass freeuser french fresh friday friend friends fright
frisco fritz frodo frog frogger froggy frontier frosty frozen fubar fugazi function funny funtime fusion future
fyfcnfcbz fylhtq gabrie gabriel galaxy galina galore gambit gandalf gang gangbang gangsta gangster garage garbage
garcia garden garfield gargoyle garrett gary gateway gator gators gbpltw geheim gemini general genesis genius george
georgia gerald gerard german germany geronimo getmoney getsome gfhjkm ghbdtn ghbdtnbr ghetto ghjcnj ghjcnjnfr ghost
giant giants gibson gilbert gillian ginger giorgi giovanni girl girls github gitlab giuseppe gizmo gizmodo gjkbyf
global gloria gmoney goalie goblin goblue goddess godsmack godzilla gofish goforit goku gold goldberg golden goldfish
goldie goldstar golf golfball golfer golfgolf golfing goliath gonzo goober good goodbye goodluck goodman goodtime
google goose gopher gordon gorilla gotcha gothic gotohell govols grace gracie grafana graham grandma granny grant
grateful great greatone green greenbay greenday greens greg gregory gremlin grendel gretchen griffey griffin gringo
grizzly groovy groucho grover grumpy guardian guest guiness guinness guitar gundam gunnar gunner gunners gustav hacker
hailey halflife hallo hambone hamburg hamilton hamlet hammer hammers hamster handsome hang hank hannah hannibal hansen
hansolo happy happyday hard hardcore harder hardon hardrock harley harmony harold harper harris harrison harry harvey
hastings hawaii hawk hawkeye hayden hayley head heart hearts heather heaven hector hedgehog heidi helen helena hell
hellfire hello helloo hellyeah help helpme hendrix henry hentai herbert herbie hercules herman hermes hershey hesoyam
hidden highland hilton hiphop history hithere hitman hjvfirf hobbes hobbit hockey holden holiday holland holly
hollywoo hollywood holmes home homer homers homerun honda honey hongkong hooker hoover hope hopper horizon horndog
hornet horney horse horses hotboy hotdog hotrod hotshot hotstuff hottie house houses houston howard hudson hummer
hungry hunter hunting hurrican husker huskers huskies hustler hyperion ibanez icecream iceman iforgot igor iguana
ihateyou illini iloveu iloveyo iloveyou imagine immortal impala imperial incubus indian indiana indians indigo
infantry inferno infiniti infinity ingrid insane inside integra internet intrepid intruder ireland irina irish ironman
isabel isabella isabelle isaiah island israel italia italian ivan ivanov ivanova iverson iwantu jabroni jack jackal
jackass jackie jackoff jackson jacob jade jaguar jake jamaica james jamesbon jamesbond jamie jammer jane janice janine
january japan japanese jarhead jasmin jasmine jason jasper java javier jayhawk jazz jazzman jean jeanette jedi jeep
jeff jeffrey jenkins jenna jennie jennifer jenny jensen jeremiah jeremy jericho jerkoff jerome jerry jersey jess jesse
jessica jessie jester jesus jethro jillian jimbo jimbob jimmy joanna joanne joejoe joey johanna johannes john johnjohn
johnny johnson joker jokers jonathan jones jordan jose joseph josh joshua journey jrcfyf juan judith juggalo juice
julia julian julie juliet julius july jumper june junebug jungle junior juniper jupiter justdoit justice justin
justine justme juventus kahuna kaiser kaktus kamikaze kangaroo kansas karate karen karina karolina kasper katana
katerina kathleen kathryn kathy katie katrin katrina kawasaki keeper keith kelley kelly kelsey kendall kennedy kenneth
kenny kenshin kentucky kenwood kenworth kermit kevin keyboard keystone keywest kickass kicker kids kill killbill
killer killme kimber kimberly king kingdom kingfish kingkong kingpin kingston kinky kipper kirill kirsten kiss kisses
kissme kitkat kitten kitty kittycat klaster klingon knicks knight knights knopka kodiak kolobok kong korn koshka
kostya kotenok kramer krishna krista kristen kristi kristin kristina kristine kristy ktyjxrf kubernetes kume kungfu
kyle labrador labtec lacrosse ladies lady ladybug laguna lakers lamont lance lancelot lancer lansing laptop larisa
larry lasvegas latin latino laura lauren laurie lawrence lawyer leader leanne leather ledzep legacy legend legion
legolas lemons lennon leonard leonardo leopard lesbian lesbians leslie lespaul lestat lester letmein letsgo lewis
lexmark liberty library lick licker lickit lickme life lifehack lifetime light lightnin lights lillian lincoln linda
lindsay lindsey linux lion lionking liquid lisa lisalisa little liverpoo liverpool lizard lizzie lobster logan login
logitech logon lolipop lolita lollipop lollol london lonely lonestar lonewolf long longhorn looker looking looser
lorenzo lorraine loser louis louise loulou love loveit lovelove lovely loveme lover loverboy lovers loveyou loving
lowrider lucas lucifer lucky luckydog lucy ludwig luke luther lvbnhbq macdaddy machine macross madden maddie maddog
madeline madison madman madmax madness madonna madrid maestro maggie magic magick magicman magnolia magnum magnus
maiden mailman majestic makaveli maksim malaka malcolm malibu malina mallard mamapapa manager manchest manchester
mandingo mandy maniac manson manuel manutd maradona marathon marc marcel march marco marcos marcus margaret margarita
maria mariadb mariah marian marianne marie marilyn marina marine mariners marines marino mario marion marisa marissa
marius mark market markus marlboro marlene marley marlin marshall martha martin martina martinez martini marvel marvin
mary maryjane maryland mason massimo massive master masters matador mathew matilda matrix matt matthew mattie mature
maureen maurice maverick maxell maxima maximum maximus maxine maxmax maxwell maxx mayday mayhem maynard meatball
meatloaf mechanic megadeth megaman megan megapass meghan melanie melinda melissa mellon melody melvin member memorex
memory memphis mercedes mercury meredith meridian merlin mersedes metal metallic metallica method mexico miami michael
michaela michel michele michelle michigan mickey microlab microsof microsoft midget midnight mighty miguel mike
mikemike mikey milana milano milena miles military miller millie million milton mine minecraft minime minnie miracle
mirage miranda miriam mirror misfit mission missy mister mistress misty mitchell mobile models mojo mollie molly
moloko molson momoney monaco monday mondeo money moneyman moneys mongodb mongoose monica monika monique monitor monkey
monkeys monopoly monroe monster montana montreal monty moocow mookie moomoo moon moose morgan morpheus morris morrison
moscow mother motherlode motorola mountain mouse movie movies mozart muffin mulder multiplelo munchkin munich muppet
murder murphy murray muscle mushroom music musica musicman mustang mustangs mybaby mylove mypass myself mysql mystery
mystic nadine nagios nancy napass napoleon naruto nascar nasty nastya natali natalia natalie natasha nathalie nathan
national natural nature naughty nebraska nellie nelson nemesis neptune network nevada newcastl newlife newman newpass
newport newton newyork nfnmzyf nginx nguyen nicholas nick nicola nicolas nicole night nike nikita nikki nikola nimrod
nina niners ninja nintendo nipper nipple nipples nirvana nissan nobody nofear nokia nolimit none noodle noodles nookie
nopass norman norton nothing november nudist nugget number nuttertools nyjets nylons nymets oakland oakley obiwan
oblivion october odessa office ohyeah oilers oklahoma oksana oldman oleg olga oliver olivia olivier omega onelove
online onlyme open openup operator oracle orange oranges oregon orioles orion orlando oscar osiris outlaw overlord
oxford pacific packard packer packers pacman painter pakistan palace paladin palmer pamela panama panasoni panasonic
pancho panda pandora pantera panther panthers panties pantyhos panzer paper paradise paradox paris parker parola
parrot party pascal pass passat passion passme passpass passphrase passport passw passwor password passwords passwort
patch patches patching patricia patrick patriot patriots patton patty paul pauline pavilion payton peace peaches
peanut peanuts pearl pearljam pebbles pedro peekaboo peewee pegasus pencil penelope penguin penguins penny penthous
pentium people pepper pepsi perfect personal pervert pete peter peterpan peters peterson peugeot phantom phil philip
philips phillies phillip phillips philly phoebe phoenix photo photos phpbb picard picasso piccolo pickle pickles pics
picture pierre piglet pikachu pillow pilot pimp pimpin pineappl ping pingpong pink pinkfloy pioneer pippen pirate
pirates pisces pistol pitbull pizza planet plastic platinum play playboy player playtime please pleasure plumber
plymouth poison pokemon polaris police polina polo polska pompey poncho pontiac poodle pooh poohbear pookie poontang
poop pooper poopie poopoo pooppoop pooter popcorn popeye poppy porkchop porsche porter portland portugal poseidon
positive possum postal postgres potato potter powder powell power powers precious predator prelude premier presario
presto preston pretty primus prince princes princess printer private privet prodigy production profit psycho pumpkin
punisher punkin punkrock puppet puppies puppy pupsik purple pussie pussies putter pyramid python qawsed qawsedrf
qazqaz qazwsx qazwsxed qazwsxedc qazxsw qazxswedc quality quantum quattro queen quincy qwaszx qweasd qweasdzxc qweqwe
qwerasdf qwert qwerty qwertyu qwertyui qwertyuio qwertyuiop qwertz qwertzuiop rabbit racecar racer racerx rachael
rachel racing rafael ragnarok raider raiders railroad rain rainbow raistlin ralph rambler rammstein ramona ramses
randall random randy ranger rangers raptor rascal rasputin rastaman raven ravens raymond razz rbhbkk rctybz ready
reagan reality reaper rebecca rebel rebels reboot redalert redbull reddog redhat redhead redhot redis redman redneck
redrum redskins redsox redwings reebok reggie regina remember renault renegade rereirf rescue research respect retard
retired revenge review rfhbyf rfnthbyf rfrfirf rfrnec rhbcnbyf rhonda ricardo rich richard richards richie richmond
rick ricky rightnow ripper river rivers rjirfrgbde rjntyjr roadkill robbie robert roberta roberto roberts robin
robinson robotech rock rocker rocket rockets rockhard rockon rocks rockstar rocky rodney roger rogers roland roller
rolltide roman romance romashka romeo rommel ronald ronaldo ronnie rookie rooster root rootbeer roscoe rose rosebud
rosemary rosie rotten rover rovers roxanne royals rubber rugby rules rulez runner running rupert rush ruslan russell
russia russian rustam rusty ryan sabbath sabina sabine sabres sabrina sadie safari safety sailboat sailing sailor
saint saints sakura sally salmon salvador samantha samara samiam sammie sammy sampson samson samsung samuel samurai
sanchez sanders sandiego sandman sandra sandro sandy santana santiago santos sapper sapphire sara sarah saratoga sasha
sassy sasuke satan saturday saturn saun sausage savage savannah sayang scania scanner scarface scarlet scarlett school
science scooby scoobydo scooter scorpio scorpion scotch scotland scott scottie scotty scrappy scratch scream scruffy
scully seamus sean search seattle sebastia sebastian secret security seeker seinfeld select selena seminole semperfi
senior sentinel septembe september serega serena serenity sergei sergey sergio server service sesame seven shado
shadow shaggy shalom shaman shamrock shane shania shannon shaolin shark sharks sharky sharon shasta shaved shazam
shearer sheena sheila shelby shelley shelly shemale sherlock sherman sherry sherwood shiloh shirley shogun shopping
short shorty shotgun showme showtime sidney siemens sierra silence silver silvia simba simon simona simone simple
simpson simpsons sinatra sinbad sinclair singer single sinner sirius sister sithlord sixers skater skeeter skidoo
skiing skinny skipper skippy skittles skorpion skydive skyline skywalke skywalker slacker slappy slapshot slave slayer
sleepy slick slider slipknot small smegma smelly smile smiles smiley smith smitty smoke smoker smokey smokin smooth
smudge smut snake snakes snapper snapple snatch sneakers snickers sniper snoopdog snoopy snow snowball snowboar
snowman snuggles sobaka soccer socrates softball software soldier soleil solnce solomon solution somethin sommer song
sonic sony sooner sooners sophia sophie southern space spank spanking spankme spanky sparkle sparks sparky sparrow
sparta spartak spartan spartans spawn speaker spears special spectrum speed speedy spencer spider spiderma spiderman
spidey spike spirit spitfire splash splinter spooky sport sports spring springer sprint sprite spunky spurs spyder
squirrel squirt srinivas stacey staging stalker stallion standard stanley staples star starbuck starcraft stardust
starfish stargate stars starship startrek starwars static station stealth steele steeler steelers stefan stefano
stella steph stephani stephanie stephen stereo sterlin sterling steve steven stevie stewart stick sticks sticky stimpy
stinger stingray stinky stocking stocks stolen stone stonecol stoner stones storm stormy strange stranger street
strider strike striker stripper stroke strong stuart stud student studio studly stuff stupid subaru sublime subway
success sugar sultan summer summit sundance sunday sunflowe sunny sunnyday sunrise sunset sunshine super superfly
superman supersta superstar superuser support surf surfer surfing susan susanne suse suzanne suzuki svetik svetlana
swallow sweden sweet sweetie sweetpea sweets sweety swimmer swimming swinger swingers sword swordfis swordfish sydney
sylvia syracuse sysadmin system tabitha tacobell tacoma tamara tammy tang tanker tanner tanya tara tardis target
tarheel tarheels tarzan tasha tatiana tattoo tatyana taurus taylor tazman tazmania tdutybq teacher team technics
techno teddy teen teens tekken telefon temp tempest temple temporary tennis tequila teresa terminal terminator terror
terry test tester testing testtest texas thailand thanatos thanks thankyou theboss thecat thegame thekid theking
theman theodore theone theresa therock thesims thomas thompson thor throat thuglife thumper thunder thursday tickle
tiffany tiger tigers tigger tight timber time timmy timothy tina tinker tinman tintin titanic titanium titans titleist
titties tobias toby today tolkien tomato tomcat tommy tommyboy tomtom tony tool tootsie topcat topdog topgun topher
topper tornado toronto torres toshiba tottenha toyota tracey tractor tracy trader traffic train trains trance transam
translator travel travis treasure trebor tree trevor trfnthbyf tricky trident trigger trinidad trinity trisha tristan
triton triumph trixie trojan trojans trombone trooper trouble trout truck trucker trucks truelove trumpet trunks
tsunami tucker tuesday tunafish tundra turbo turkey turner turtle tweety twilight twisted twister tyler typhoon tyrone
ubuntu ultima ultimate umbrella underdog undertaker unicorn united universe unix unknown unreal update upgrade user
usmc usnavy utopia vacation vader valentin valentina valera valeria valerie valhalla valley vampire vanessa vanhalen
vanilla vector vectra vegeta velvet venus verbatim veritas vermont vernon verona veronica veronika vertigo vette
vfczyz vfhbyf vfhecz vfhufhbnf vfksirf vfrcbv vfrcbvrf vfvekz vfvjxrf viagra victor victoria victory video vienna
vietnam viewsonic viking vikings viktor viktoria village vincent violet viper vipers vision vitalik vivian vkontakte
vladik vladimir vladislav vmware volley volume voodoo vortex voyager voyeur vulcan wagner walker wallace walleye wally
walnut walrus walter wapbbs warcraft warhammer warlock warlord warren warrior warriors wassup watcher water waterloo
waters watson wayne weasel weather webmaster webster wednesday weed weezer welcome wendy werewolf werner wesley west
western westham westside westwood whatever wheels whiskey whisper white whitesox whitey whitney whocares whynot wibble
wicked wilbur wildcat wildcats wildfire william williams willie willis willow willy wilson window windows winner
winnie winston winter wisdom wizard wolf wolfgang wolfie wolfman wolfpack wolverin wolverine wolves woman wombat women
wonder wood woody woofwoof wookie wordpass work world wrangler wrestlin wright writer wutang xanadu xavier xfiles
xtreme yamaha yankee yankees ybrbnf ybrjkfq yellow yfnfif yomama yosemite young yourmom yvonne yxcvbnm yzerman zabbix
zachary zaphod zaqwsx zaqxsw zenith zeppelin zeus zidane zipper zombie zorro zurich zvezda zxcasd zxcasdqwe zxcvbn
zxcvbnm
`
    .trim()
    .split(/\s+/)
)
