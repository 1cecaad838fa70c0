"""What people ask about that this model does not know."""

from __future__ import annotations

from .sample import Dice
from .words import FOODS, _list, city, first_name, made_up

SUBJECTS = _list("""Riemann's hypothesis; quantum mechanics; general relativity; photosynthesis; the French Revolution;
the Roman Empire; black holes; evolution; the Big Bang; climate change; inflation; the stock market; machine learning;
neural networks; transformers; blockchain; Bitcoin; Kubernetes; Docker; React hooks; recursion; binary search; quicksort;
the TCP handshake; HTTP/2; DNS; OAuth; SQL joins; pointers in C; Rust lifetimes; Python decorators; async await;
the Pythagorean theorem; prime numbers; calculus; linear algebra; Bayes' theorem; game theory; chaos theory; entropy;
thermodynamics; plate tectonics; volcanoes; earthquakes; hurricanes; the water cycle; DNA; mitosis; vaccines; antibiotics;
the immune system; the human heart; the brain; sleep; diabetes; cancer; migraines; yoga; meditation; running; swimming;
football; basketball; chess; poker; tennis; the Olympics; the World Cup; jazz; opera; Mozart; Beethoven; the Beatles;
Shakespeare; Hamlet; Don Quixote; Homer; Plato; Aristotle; Kant; Nietzsche; stoicism; Buddhism; Islam; Christianity;
the Bible; Greek mythology; Norse gods; ancient Egypt; the pyramids; the Great Wall of China; the Silk Road; the Vikings;
the Aztecs; the Inca; the Renaissance; the Cold War; World War II; the Civil War; the Berlin Wall; Napoleon; Julius Caesar;
Cleopatra; Abraham Lincoln; Gandhi; Nelson Mandela; Albert Einstein; Isaac Newton; Marie Curie; Charles Darwin; Ada Lovelace;
Alan Turing; Leonardo da Vinci; Picasso; Van Gogh; impressionism; Gothic architecture; photography; cinema; Star Wars;
Harry Potter; The Lord of the Rings; anime; video games; fashion; coffee; wine; tea; chocolate; cheese; sourdough;
gardening; roses; tomatoes; bees; dogs; cats; parrots; sharks; whales; dinosaurs; mammoths; penguins; spiders; the ocean;
coral reefs; rainforests; deserts; glaciers; the moon; Mars; Jupiter; Saturn's rings; comets; galaxies; dark matter;
string theory; gravity; light; sound; magnetism; electricity; lasers; semiconductors; batteries; solar panels; wind power;
nuclear fusion; electric cars; airplanes; rockets; submarines; bridges; skyscrapers; robots; drones; 3D printing; quantum
computers; encryption; passwords; phishing; firewalls; Linux; Windows; macOS; Git; GitHub; Java; JavaScript; TypeScript;
Go; Haskell; COBOL; regular expressions; sorting algorithms; hash tables; graph theory; databases; Redis; PostgreSQL; MongoDB;
GraphQL; REST; microservices; serverless; AWS; Google Cloud; Terraform; CI/CD; unit testing; agile; scrum; taxes; mortgages;
insurance; pensions; interest rates; supply and demand; GDP; unemployment; capitalism; socialism; democracy; the European Union;
the United Nations; NATO; the Supreme Court; human rights; copyright; patents; contracts; divorce law; immigration; visas;
the Amazon river; Mount Everest; the Sahara; Antarctica; Iceland; Japan; Brazil; Canada; India; Australia; South Africa; China;
Portugal; Spain; Germany; the Grand Canyon; the Eiffel Tower; the Panama Canal; the Titanic; Halloween; Christmas; Easter;
Ramadan; Diwali; weddings; job interviews; resumes; public speaking; time management; leadership; marketing; SEO; branding;
psychology; anxiety; depression; happiness; love; friendship; parenting; education; universities; grammar; poetry; haiku;
rhetoric; logic; ethics; free will; consciousness; artificial intelligence; ChatGPT; GPT-4; Claude; Gemini; Llama; DALL-E;
the weather; the news; the lottery; astrology; tarot; ghosts; aliens; Atlantis; Bigfoot; the Loch Ness monster; time travel;
Schrodinger's cat; the halting problem; P versus NP; Fermat's last theorem; Godel's theorems; the Fibonacci sequence; pi; zero;
infinity; imaginary numbers; fractals; knots; origami; knitting; woodworking; plumbing; car engines; tires; bicycles; sailing;
skiing; surfing; climbing; hiking; camping; fishing; hunting; archery; fencing; boxing; judo; karate; ballet; salsa; hip hop;
heavy metal; reggae; blues; guitars; pianos; violins; drums; singing; acting; stand-up comedy; magic tricks; juggling; puppets;
keto; veganism; vitamins; protein; cholesterol; blood pressure; allergies; asthma; acne; teeth; glasses; hearing; pregnancy""", ";")
SUBJECTS_TEST = _list("""Riemann's conjecture; the Hodge conjecture; superconductors; the Ottoman Empire; honey bees; jet lag;
the Krebs cycle; Frida Kahlo; the Suez Canal; WebAssembly; the Monty Hall problem; sushi etiquette; tidal energy; the Magna
Carta; origami cranes; Kafka; the Doppler effect; monads; the Great Fire of London; kidney stones; the Higgs boson; bonsai
trees; Cassandra databases; compound interest; the Treaty of Versailles; CRISPR; the Maillard reaction; Zeno's paradox""", ";")
CODE_TASKS = _list("""reverses a string; sorts a list; finds prime numbers; checks for a palindrome; parses a CSV file;
reads a file; sends an email; calls a REST API; counts words; merges two arrays; removes duplicates; computes factorials;
prints the Fibonacci numbers; downloads a web page; connects to a database; validates an email address; resizes an image;
draws a chart; converts Celsius to Fahrenheit; generates a password; lists all files in a directory; scrapes a site""", ";")
CODE_TASKS_TEST = _list("flattens a nested list; rotates a matrix; pings a server; solves sudoku; deduplicates log lines", ";")
LANGUAGES = _list("""Python; JavaScript; TypeScript; Java; C; C++; C#; Go; Rust; Ruby; PHP; Swift; Kotlin; Scala; Bash; SQL; R;
Perl; Lua; Haskell; PowerShell; HTML; CSS""", ";")
TONGUES = _list("Spanish; French; German; Italian; Portuguese; Chinese; Japanese; Korean; Russian; Arabic; Hindi; Latin; Dutch; English", ";")
SENTENCES = _list("""Where is the train station?; I love you; Good morning; The book is on the table; How much does it cost?;
My name is Ana; I would like a coffee; The weather is nice today; See you tomorrow; Thank you very much; Can you help me?;
The meeting starts at nine; I am lost; Happy birthday; The cat sleeps; Hello world; Have a nice day; We need more time""", ";")
_NOUN = _list("""history future meaning origin purpose theory invention discovery fall rise role impact basics philosophy economy
geography culture music language population capital climate cause structure importance law politics cuisine""")
_THING = _list("""telescope compass printing press steam engine telephone light bulb bicycle umbrella calendar alphabet zipper
microwave internet transistor camera submarine violin mirror clock paper glass silk spice trade tulip mania""", None)
_ADJECTIVE = _list("""modern ancient medieval quantum digital organic solar global rural classical tropical marine social
industrial electric urban romantic abstract renewable public private sustainable cognitive molecular nuclear""")
_FIELD = _list("""physics chemistry art medicine farming trade warfare literature finance engineering biology astronomy
networks ethics dance cooking education transport energy design poetry tourism agriculture forests banking sculpture""")


def subject(dice: Dice) -> str:
    """A thing to ask about: half from the list, half put together so that it was never seen before."""
    if dice.held_out:
        return dice.pick(SUBJECTS_TEST)
    roll = dice.rng.random()
    if roll < 0.42:
        return dice.pick(SUBJECTS)
    name = made_up(dice, 2).capitalize()
    return dice.pick([
        lambda: f"{dice.pick(_ADJECTIVE)} {dice.pick(_FIELD)}",
        lambda: f"the {dice.pick(_NOUN)} of {dice.pick([city(dice), dice.pick(_FIELD), dice.pick(SUBJECTS), name])}",
        lambda: f"the {dice.pick(_NOUN)} of the {dice.pick(_THING)}",
        lambda: f"{name}'s {dice.pick(['theorem', 'conjecture', 'law', 'paradox', 'principle', 'equation', 'lemma', 'hypothesis'])}",
        lambda: f"the {name} {dice.pick(['effect', 'equation', 'war', 'treaty', 'dynasty', 'problem', 'model', 'cycle', 'sea', 'bridge'])}",
        lambda: made_up(dice, dice.pick([2, 3, 3])) + dice.pick(["", "s", "ing", "ism", "ation", "ology", "ium"]),
        lambda: f"{first_name(dice)} {made_up(dice, 2).capitalize()}",
        lambda: f"{dice.pick(_FIELD)} in {city(dice)}",
        lambda: f"{dice.pick(SUBJECTS)} and {dice.pick(SUBJECTS)}",
        lambda: dice.pick(FOODS),
    ])()
