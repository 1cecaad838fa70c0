"""Word lists. Names ending in _TEST are held out: training never sees them."""

from __future__ import annotations

from .sample import Dice


def _list(text: str, separator: str | None = None) -> list[str]:
    return [item.strip() for item in text.split(separator) if item.strip()]


FIRST_NAMES = _list("""Ana Bruno Carla Diego Elena Felix Gina Hugo Ines Jonas Karin Luca Maria Nils Olga Pedro Quentin Rosa
Sam Tina Uwe Vera Walter Xenia Yara Zoe Alice Bob Chen Dara Emma Farid Grace Hana Ivan Julia Kofi Lena Mateo Noor Omar
Priya Rafael Sofia Tomas Ursula Victor Wendy Yusuf Zara Peter Paul Laura Mark Nina Oscar Jane John Tom Sara Kim""")
FIRST_NAMES_TEST = _list("Amelia Boris Celine Dmitri Esther Fabio Greta Henrik Isolde Joao Katya Leandro")
CITIES = _list("""Paris, Rome, Oslo, Lima, Cairo, Madrid, Berlin, Lisbon, London, Tokyo, Quito, Boston, Chicago, Dublin,
Vienna, Prague, Warsaw, Athens, Sydney, Toronto, Denver, Seattle, Miami, Dallas, New York, San Francisco, Los Angeles,
Mexico City, Buenos Aires, Porto, Geneva, Zurich, Milan, Naples, Hamburg, Munich, Nairobi, Lagos, Accra, Delhi, Mumbai,
Seoul, Beijing, Hanoi, Manila, Jakarta, Perth, Auckland, Santiago, Bogota, Montreal, Vancouver, Austin, Phoenix, Turin""", ",")
CITIES_TEST = _list("Helsinki, Kyoto, Montevideo, Salvador, Edinburgh, Tbilisi, Nashville, Cape Town, Antwerp, Osaka", ",")
JOBS = _list("""nurse, teacher, pilot, baker, engineer, painter, lawyer, farmer, driver, cook, writer, singer, plumber,
doctor, dentist, carpenter, designer, student, chemist, librarian""", ",")
COLOURS = _list("red blue green yellow black white orange purple grey brown pink silver gold")
ANIMALS = _list("cat dog horse parrot rabbit turtle goat hamster duck fox owl bear wolf sheep cow lion tiger whale shark frog")
THINGS = _list("""book, lamp, chair, table, phone, laptop, bag, bottle, pen, shirt, shoe, watch, clock, keyboard, mouse,
cable, door, window, car, bike, boat, box, cup, plate, spoon, knife, rug, sofa, desk, mirror, camera, radio, ring, hat""", ",")
FOODS = _list("""bread, rice, pasta, soup, salad, pizza, apple pie, chocolate cake, lasagna, pancakes, sushi, curry, tacos,
banana bread, omelette, risotto, cheesecake, beef stew, apples, pears, oranges, lemons, eggs, milk, cheese, butter""", ",")
DAYS = _list("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
MONTHS = _list("January February March April May June July August September October November December")
PLAIN = _list("""the of and to in is it you that was for on are with as his they be at one have this from or had by hot but
some what there we can out other were all your when up use word how said each she which do their time if will way about
many then them would write like so these her long make thing see him two has look more day could go come did my sound no
most number who over know water than call first people may down side been now find any new work part take get place made
live where after back little only round man year came show every good me give our under name very through just form great
think say help low line before turn cause same mean differ move right boy old too does tell set three want air well also
play small end put home read hand port large spell add even land here must big high such follow act why ask men change
went light kind off need house picture try us again point mother world near build self earth father head stand own page
country found answer school grow study still learn plant cover food sun four thought let keep eye never last door between
city tree cross since hard start might story saw far sea draw left late run while press close night real life few stop
open seem together next white children begin got walk example ease paper often always music those both mark book letter
until mile river car feet care second group carry took rain eat room friend began idea fish mountain north once base hear
horse cut sure watch color face wood main enough plain girl usual young ready above ever red list though feel talk bird
soon body dog family direct pose leave song measure state product black short class wind question happen complete ship
area half rock order fire south problem piece told knew pass farm top whole king size heard best hour better true during
hundred remember step early hold west ground interest reach fast five sing listen six table travel less morning ten
simple several vowel toward war lay against pattern slow center love person money serve appear road map science rule
govern pull cold notice voice fall power town fine certain fly unit lead cry dark machine note wait plan figure star box
noun field rest correct able pound done beauty drive stood contain front teach week final gave green quick develop sleep
warm free minute strong special mind behind clear tail produce fact street inch lot nothing course stay wheel full force
blue object decide surface deep moon island foot yet busy test record boat common gold possible plane age dry wonder
laugh thousand ago ran check game shape yes hot miss brought heat snow bed bring sit perhaps fill east weight language""")
_ONSETS = _list("b c d f g h j k l m n p r s t v w z br cr dr fl gr kl pl pr sk sl st tr sh ch th qu bl sn x y")
_VOWELS = _list("a e i o u ai ea oo ou ie ee")
_CODAS = ["", "", "", "n", "r", "s", "l", "t", "m", "k", "x", "nd", "st", "rk", "sh", "ng", "p", "d"]
_ACRONYM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def made_up(dice: Dice, syllables: int | None = None) -> str:
    """A word that no list holds, so that the model has to copy rather than remember."""
    count = syllables or dice.pick([1, 2, 2, 2, 3])
    return "".join(dice.pick(_ONSETS) + dice.pick(_VOWELS) + dice.pick(_CODAS) for _ in range(count))


def any_word(dice: Dice) -> str:
    roll = dice.rng.random()
    if roll < 0.5:
        return dice.pick(PLAIN)
    if roll < 0.78:
        return made_up(dice)
    return dice.pick(dice.pick([THINGS, FOODS, ANIMALS, COLOURS, JOBS, CITIES, FIRST_NAMES]))


def first_name(dice: Dice) -> str:
    if dice.chance(0.35) and not dice.held_out:
        return made_up(dice, 2).capitalize()
    return dice.split(FIRST_NAMES, FIRST_NAMES_TEST)


def city(dice: Dice) -> str:
    if dice.chance(0.35) and not dice.held_out:
        return made_up(dice).capitalize() + dice.pick(["", "", " City", " Bay"])
    return dice.split(CITIES, CITIES_TEST)


def identifier(dice: Dice) -> str:
    """A plausible code: an order number, a SKU, a flight, a file name part."""
    letters = "".join(dice.pick(_ACRONYM) for _ in range(dice.number(1, 3)))
    digits = "".join(str(dice.number(0, 9)) for _ in range(dice.number(1, 5)))
    return dice.pick([letters + digits, f"{letters}-{digits}", digits, f"{made_up(dice)}-{digits}", f"{made_up(dice)}_{made_up(dice)}"])


def deployment_name(dice: Dice) -> str:
    return dice.pick([
        made_up(dice), f"{made_up(dice)}-{dice.number(1, 99)}", f"my-{made_up(dice)}", f"{dice.pick(THINGS)}-chat".replace(" ", "-"),
        "gpt-4o", "gpt-4o-mini", "chat", "prod", "demo", "my-model", "assistant", "test1", f"{made_up(dice)}-{made_up(dice)}",
        f"{first_name(dice).lower()}-bot", "support-bot", "gpt-35-turbo", "Mistral-Large", "phi-4", "llama-70b",
    ])
