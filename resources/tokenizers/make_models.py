"""Makes tiny.model and demo.model, the vocabularies of the random checkpoints. Needs the sentencepiece package.

tiny.model   256 pieces whose ids are the bytes of the text: 0 is padding, 1 the end, 2 unknown. ASCII characters are pieces; the
             normalisation rules turn U+0080..U+07FF and the General Punctuation dashes and quotes into their UTF-8 bytes, written
             as the characters U+0080..U+00FF. Everything else is unknown.
demo.model   4096 unigram pieces with T5's normalisation (nmt_nfkc), trained on sentences that corpus() makes from a grammar.

Usage: python make_models.py FOLDER
"""
import io
import random
import struct
import sys
import tempfile
from pathlib import Path

import sentencepiece

NORMAL, UNKNOWN, CONTROL = 1, 2, 3
SPACE = "\u2581"


# --- words -------------------------------------------------------------------------------------------------------------------

PEOPLE = """man woman boy girl baby person child kid lady gentleman guy male female officer policeman policewoman actor actress
dancer doctor nurse teacher student singer painter chef waiter pilot sailor soldier farmer gardener scientist engineer astronaut
firefighter musician guitarist pianist violinist drummer runner swimmer cyclist climber skater surfer boxer athlete model artist
writer reader photographer barista baker fisherman carpenter mechanic lawyer judge priest monk nun king queen prince princess
knight wizard witch pirate detective explorer hiker tourist traveler businessman businesswoman grandfather grandmother father
mother son daughter brother sister uncle aunt friend couple family crowd stranger hero worker driver rider player coach captain
guard bride groom teenager toddler adult elder human people men women children boys girls""".split()

TRAITS = """young old middle-aged elderly tall short slim strong muscular happy sad smiling laughing serious calm confident curious
tired excited angry surprised thoughtful elegant handsome beautiful pretty cute bearded bald freckled tanned pale asian african
european american indian latin japanese chinese korean brunette blond blonde redhead brown-haired gray-haired shy brave gentle
kind lonely proud relaxed focused determined mysterious friendly wrinkled stylish casual fashionable wealthy poor famous""".split()

COLORS = """red blue green yellow orange purple pink black white gray grey brown golden silver beige navy teal turquoise crimson
scarlet violet ivory maroon olive cream dark light bright pastel striped checkered floral plain colorful""".split()

CLOTHES = """shirt t-shirt dress suit jacket coat sweater hoodie blouse skirt jeans trousers pants shorts scarf hat cap helmet gloves
boots shoes sneakers sandals tie vest uniform robe kimono gown cloak apron raincoat swimsuit glasses sunglasses necklace earrings
bracelet watch crown veil mask backpack bag belt hood turban bandana beanie overalls tuxedo""".split()

ACTIONS = """walking running dancing singing reading writing cooking painting drawing swimming climbing cycling skating surfing
jumping sitting standing sleeping eating drinking laughing smiling crying talking whispering shouting waving looking staring
watching listening waiting working playing driving riding flying fishing gardening sewing knitting typing meditating stretching
exercising boxing fighting hugging kissing holding carrying lifting throwing catching pushing pulling opening closing turning
spinning nodding blinking winking yawning thinking dreaming exploring hiking camping shopping cleaning washing brushing combing
pouring stirring cutting baking tasting smelling touching pointing clapping bowing kneeling crouching leaning resting relaxing
celebrating performing posing practicing studying teaching leading following chasing hiding floating diving sailing rowing""".split()

PLACES = """park garden forest beach street city town village kitchen bedroom room office library museum school classroom hospital
restaurant cafe bar market shop store station airport train bus car boat ship bridge river lake ocean sea mountain hill valley
desert field meadow farm barn castle palace temple church tower rooftop balcony window door hallway staircase stage theater cinema
studio gym pool stadium playground harbor island jungle waterfall cave cliff canyon snow rain storm road path alley square plaza
fountain bench table chair sofa bed fireplace campfire workshop laboratory spaceship moon planet space sky cloud""".split()

CAMERA = """camera close-up closeup portrait shot wide medium low angle high aerial drone handheld tracking panning zoom zooming
slowly dolly static steady focus shallow depth of field bokeh cinematic film footage video frame scene view lens macro panoramic
time-lapse slow motion blur sharp detailed realistic photorealistic hyperrealistic resolution quality 4k 8k hd professional
documentary vintage animation style shallow background foreground composition profile front side back over-the-shoulder""".split()

LIGHT = """light sunlight moonlight candlelight sunset sunrise dawn dusk night day morning evening afternoon noon golden hour soft hard
warm cool dim bright glowing neon shadow shadows backlit backlight rim natural studio dramatic moody foggy misty hazy cloudy sunny
rainy snowy stormy starry overcast reflection reflections sparkling shimmering flickering silhouette contrast lighting lit
illuminated colorful vivid muted""".split()

THINGS = """book cup coffee tea guitar piano violin drum microphone phone laptop computer keyboard camera umbrella flower flowers rose
roses tree trees leaf leaves grass sand water wave waves stone rock fire smoke ice bread cake apple orange banana fruit vegetable
soup bottle glass plate bowl knife spoon fork candle lamp lantern mirror painting brush canvas paper pen pencil letter newspaper
map box ball balloon kite toy doll bicycle bike motorcycle horse dog cat puppy kitten bird birds butterfly fish dragon robot sword
shield staff ring clock key rope ladder hammer basket blanket pillow curtain flag sign statue rug shelf wall floor roof""".split()

BODY = """face head hair eyes eye nose mouth lips ear ears cheek cheeks chin neck shoulder shoulders arm arms hand hands finger fingers
leg legs knee foot feet back chest beard mustache smile expression gaze skin forehead eyebrows eyelashes tears curls ponytail
braids bangs wrinkles freckles dimples teeth tongue""".split()

ADVERBS = """slowly quickly gently softly quietly loudly happily sadly calmly gracefully carefully suddenly carelessly proudly warmly
directly together alone forward backward upward downward outside inside nearby again always never often sometimes""".split()

EVERYDAY = """the a an and or but if then so because while when where who what why how which that this these those it its he she they
them his her their him we us our you your i me my is are was were be been being has have had do does did will would can could
should may might must shall not no yes in on at by for with from to into onto of off up down over under above below between among
through across along around behind beside near far before after during until since about against without within toward towards as
like than more most less least very too also only just even still yet already soon now later here there everywhere nowhere one two
three four five six seven eight nine ten hundred thousand first second third last next new old big small large little long short
good bad better best worse worst great fine nice right wrong left same different other another each every all both some any many
much few several own such thing things something nothing everything anything someone everyone time times year years month week day
days hour minute moment today tomorrow yesterday life world house home name word words story question answer idea way place part
side end beginning line point number group party game music song art work job money price food meal breakfast lunch dinner weather
wind summer winter spring autumn january february march april may june july august september october november december monday
tuesday wednesday thursday friday saturday sunday make makes made making take takes took taken taking go goes went gone going come
comes came coming see sees saw seen seeing look looks looked get gets got getting give gives gave given find finds found think
thinks thought know knows knew known want wants wanted need needs needed use uses used using tell tells told say says said ask asks
asked try tries tried call calls called keep keeps kept let lets put puts show shows showed shown feel feels felt become becomes
became leave leaves bring brings brought begin begins began start starts started stop stops stopped run runs ran move moves moved
live lives lived believe hold holds held turn turns turned walk walks walked sit sits sat stand stands stood play plays played read
reads write writes wrote wear wears wore worn talk talks talked speak speaks spoke hear hears heard open opens opened close closes
closed love loves loved help helps helped learn learns change changes changed follow follows watch watches fall falls fell grow
grows grew build builds built send sends sent wait waits meet meets met carry carries carried eat eats ate drink drinks drank sing
sings sang dance dances danced paint paints painted cook cooks cooked smile smiles smiled laugh laughs laughed fly flies flew swim
swims ride rides rode drive drives drove sleep sleeps slept dream dreams catch throw break broke broken pick picks picked pass
passes passed reach reaches reached raise raises raised cover covers covered fill fills filled surround surrounded reveal reveals
revealing capture captures captured capturing create creates created creating appear appears appeared disappear remain remains
highlight highlights highlighting emphasize emphasizing suggest suggests suggesting contemplate contemplating gather gathers
embrace embraces enjoy enjoys enjoying explore explores shine shines shining glow glows cast casts casting drift drifts drifting
image picture photo photograph painting drawing sketch cartoon anime fantasy science fiction history future ancient modern
futuristic medieval victorian traditional rustic cozy busy crowded empty quiet peaceful serene vibrant lively lush rich deep
intricate delicate ornate simple complex smooth rough wet dry hot cold frozen burning broken clean dirty fresh wild free full clear
transparent wooden metal metallic leather silk cotton wool velvet denim lace glass plastic concrete brick marble texture pattern
detail details color colors colour shape form size movement motion energy emotion emotions mood atmosphere feeling sense beauty
nature animal animals human body heart mind soul spirit voice sound noise silence power force magic secret danger hope fear joy
happiness sadness anger peace war king kingdom country nation state government law police army church school university company
business market product service system computer program data information internet network machine engine vehicle truck plane
airplane helicopter rocket satellite station subway platform corner center middle edge top bottom surface distance horizon
landscape skyline seaside countryside wilderness mountainside neighborhood apartment building buildings skyscraper skyscrapers
house houses street streets lights crowd traffic market stalls fabric clothes clothing outfit hairstyle makeup jewelry perfume
height weight width length depth speed degree percent million dollar dollars north south east west northern southern eastern
western left-hand right-hand blurred blurry distorted deformed disfigured ugly watermark text logo signature low-quality worst
artifacts extra limbs mutated cropped img""".split()

SUFFIXES = "s es ed ing er est ly ness less ful able ment tion sion ish ous al ive ity ist ism ward wise hood ship".split()


# --- sentences ---------------------------------------------------------------------------------------------------------------

def noun_phrase(r):
    words = [r.choice(["a", "the", "one", "another", "this"])]
    words += r.sample(TRAITS, r.choice([0, 1, 1, 2]))
    return " ".join(words + [r.choice(PEOPLE)])


def outfit(r):
    return f"{r.choice(['wearing', 'in', 'dressed in', 'with'])} {r.choice(['a', 'the', 'his', 'her'])} {r.choice(COLORS)} {r.choice(CLOTHES)}"


def features(r):
    return f"{r.choice(['with', 'has', 'showing'])} {r.choice(COLORS + TRAITS)} {r.choice(BODY)} and {r.choice(TRAITS + COLORS)} {r.choice(BODY)}"


def place(r):
    prefix = r.choice(["in", "on", "at", "near", "by", "beside", "under", "inside", "outside", "in front of", "next to", "behind"])
    return f"{prefix} {r.choice(['a', 'the'])} {r.choice(COLORS + TRAITS + LIGHT + EVERYDAY)} {r.choice(PLACES)}"


def look(r):
    return f"{r.choice(CAMERA)} {r.choice(CAMERA)}, {r.choice(LIGHT)} {r.choice(LIGHT)}"


def prompt(r):
    """One sentence as people write them for a video model."""
    text = noun_phrase(r)
    if r.random() < 0.3:
        text += " img"
    if r.random() < 0.5:
        text += " " + outfit(r)
    text += f"{r.choice([' is', ',', ' was', ''])} {r.choice(ACTIONS)}"
    if r.random() < 0.4:
        text += " " + r.choice(ADVERBS)
    if r.random() < 0.5:
        text += f" {r.choice(['with', 'holding', 'and', 'while holding'])} {r.choice(['a', 'the', 'some', 'two'])} {r.choice(THINGS)}"
    if r.random() < 0.8:
        text += " " + place(r)
    if r.random() < 0.3:
        text += ", " + features(r)
    if r.random() < 0.6:
        text += ", " + look(r)
    return text[0].upper() + text[1:] + r.choice([".", ".", "", "!"])


def plain_sentence(r):
    """Everyday words, the frequent ones (first in the list) more often, so that most of them become pieces of their own."""
    words = []
    for _ in range(r.randint(4, 12)):
        word = EVERYDAY[int(len(EVERYDAY) * r.random() ** 1.5)]
        words.append(word.capitalize() if r.random() < 0.08 else word)
    text = " ".join(words)
    return text[0].upper() + text[1:] + r.choice(".!?,;:")


def rare_sentence(r, syllables):
    """Made-up words, numbers and marks: the fragments that unknown words are put together from."""
    words = []
    for _ in range(r.randint(3, 7)):
        kind = r.random()
        if kind < 0.55:
            word = "".join(r.choices(syllables, k=r.randint(1, 4))) + r.choice(SUFFIXES + [""] * 12)
            word = word.capitalize() if r.random() < 0.3 else word.upper() if r.random() < 0.05 else word
        elif kind < 0.75:
            word = str(r.randint(0, r.choice([9, 99, 999, 2030])))
        else:
            word = r.choice(["(", '"', "'", "-", "/", "#", "&", "*", "+", "=", "@", "%", "$"]) + r.choice(EVERYDAY) + r.choice([")", '"', "'", "'s", "-"])
        words.append(word)
    return " ".join(words)


def corpus(count):
    r = random.Random(20)
    syllables = [onset + vowel + coda for onset in "b c d f g h j k l m n p qu r s t v w x y z bl br ch cl cr dr fl fr gl gr ph pl pr sc sh sk sl sm sn sp st str sw th tr wh".split()
                 for vowel in "a e i o u ai ea ee io oo ou y".split() for coda in ["", "n", "r", "l", "s", "t", "m", "d", "ck", "ng", "nt", "st"]]
    r.shuffle(syllables)
    syllables = syllables[:900]
    every = PEOPLE + TRAITS + COLORS + CLOTHES + ACTIONS + PLACES + CAMERA + LIGHT + THINGS + BODY + ADVERBS + EVERYDAY
    for index in range(count):
        kind = index % 5
        yield prompt(r) if kind < 2 else plain_sentence(r) if kind < 4 else rare_sentence(r, syllables)
    for word in sorted(set(every)):
        for _ in range(12):
            yield f"{word} {r.choice(every)} {word}, {word}."
    letters = "".join(chr(c) for c in range(33, 127)) + "\u00e4\u00f6\u00fc\u00df\u00e9\u00e8\u00e0\u00f1\u00e7\u00ea\u00f3\u00e1\u00ed\u2019\u201c\u201d\u2013\u2014"
    for letter in letters:
        for _ in range(6):
            yield f"{letter} {letter}{letter} x{letter}"


# --- files -------------------------------------------------------------------------------------------------------------------

def train(sentences, **options):
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder, "corpus.txt")
        text.write_text("\n".join(sentences) + "\n", encoding="utf-8")
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            input=str(text), model_writer=model, model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1,
            character_coverage=1.0, shuffle_input_sentence=False, minloglevel=1, **options)
    return model.getvalue()


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def read_varint(data, at):
    value = shift = 0
    while True:
        value, shift, at = value | (data[at] & 127) << shift, shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """(number, wire type, value) of one protobuf message."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        if tag & 7 == 2:
            size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
        elif tag & 7 == 5:
            value, at = data[at:at + 4], at + 4
        else:
            value, at = read_varint(data, at)
        yield tag >> 3, tag & 7, value


def field(number, kind, value):
    head = varint(number << 3 | kind)
    if kind == 2:
        return head + varint(len(value)) + value
    return head + (value if kind == 5 else varint(value))


def message(entries):
    return b"".join(field(*entry) for entry in entries)


def piece(text, score, kind):
    return message([(1, 2, text.encode()), (2, 5, struct.pack("<f", score)), (3, 0, kind)])


def without_paths(model):
    """Leaves out what the trainer notes about its own run: file names, and the copy of every switch it does not need to load."""
    kept_of_trainer = {3, 4, 24, 35, 40, 41, 42, 43, 44, 45, 46, 47, 48}
    out = []
    for number, kind, value in fields(model):
        if number == 2:
            value = message(entry for entry in fields(value) if entry[0] in kept_of_trainer)
        out.append((number, kind, value))
    return message(out)


def byte_rules():
    """Characters beyond ASCII as their UTF-8 bytes, each byte b as the character U+00b."""
    for code in list(range(0x80, 0x800)) + list(range(0x2010, 0x2028)):
        yield f"{code:X}\t" + " ".join(f"{byte:X}" for byte in chr(code).encode())


def tiny_model():
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "rules.tsv")
        rules.write_text("\n".join(byte_rules()) + "\n")
        trained = train(["some words to satisfy the trainer"] * 4, vocab_size=24, normalization_rule_tsv=str(rules), hard_vocab_limit=False)
    normalizer = next(value for number, _, value in fields(trained) if number == 3)
    charsmap = next(value for number, _, value in fields(normalizer) if number == 2)

    # One score for all: each byte is a piece, so there is nothing to choose between.
    special = {0: ("<pad>", CONTROL), 1: ("</s>", CONTROL), 2: ("<unk>", UNKNOWN), 32: (SPACE, NORMAL)}
    pieces = [piece(*((special[byte][0], 0.0 if byte < 3 else -1.0, special[byte][1]) if byte in special else (chr(byte), -1.0, NORMAL)))
              for byte in range(256)]
    trainer = message([(3, 0, 1), (4, 0, 256), (40, 0, 2), (41, 0, (1 << 64) - 1), (42, 0, 1), (43, 0, 0),
                       (45, 2, b"<unk>"), (46, 2, b"<s>"), (47, 2, b"</s>"), (48, 2, b"<pad>")])
    normalizer = message([(1, 2, b"utf8_bytes"), (2, 2, charsmap), (3, 0, 0), (4, 0, 0), (5, 0, 1)])
    return message([(1, 2, entry) for entry in pieces] + [(2, 2, trainer), (3, 2, normalizer)])


def demo_model():
    return without_paths(train(corpus(60000), vocab_size=4096, normalization_rule_name="nmt_nfkc", max_sentencepiece_length=16))


def main():
    folder = Path(sys.argv[1])
    for name, model in (("tiny", tiny_model()), ("demo", demo_model())):
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        folder.joinpath(f"{name}.model").write_bytes(model)
        print(f"{name}.model: {processor.get_piece_size()} pieces, {len(model)} bytes")


if __name__ == "__main__":
    main()
