"""Which node of the caption tree is right for the concept of a labelled picture.

A caption is right if it names this node or one above it. Concepts that the tree has no place for are not
judged, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SAME = """
dog: bluetick, dogs | cat: garfield, wild cat | cougar: cougar face, cougar body | crocodile: crocodile head
flamingo: flamingo head | lobster: crayfish | fish: bass fish | antelope: gerenuk | hoofed animal: okapi
sea animal: nautilus, trilobite | turtle: hawksbill | rhinoceros: rhino | bird: emu, ibis, rooster
butterfly: butterfly | dinosaur: brontosaurus, stegosaurus, dinosaur illustration | leopard: leopard
insect: mayfly, ant, dragonfly | animal: platypus, snoopy | car: car side view, automobile
motorcycle: motorbike | boat: schooner, ketch, ferry | sailing ship: schooner, ketch
wheelchair: wheelchair | building: minaret, pagoda, house front | tree: joshua tree | bonsai: bonsai
lotus: lotus, water lily | telephone: cellphone | device: metronome, stapler | sculpture: buddha
symbol: yin yang | musical instrument: euphonium, mandolin | fan: ceiling fan | gun: revolver
piano: grand piano | jug: ewer | headphones: headphone | skate: inline skate | banknote: dollar bill
football: soccer ball | chair: windsor chair | candle: menorah | brain: brain | sea horse: sea horse
building: building or monument | snowy mountain: snowy mountain | dish: food dish
person: african people and village | city street: street | building: buildings | ship: ship | man: man
"""
"""Node: concepts of the smaller sources; one that has a node of its own name needs no entry."""

ANIMALS = (
    (0, 6, "fish"),
    (7, 8, "chicken"),
    (9, 9, "ostrich"),
    (10, 24, "bird"),
    (25, 29, "salamander"),
    (30, 32, "frog"),
    (33, 37, "turtle"),
    (38, 48, "lizard"),
    (49, 50, "crocodile"),
    (51, 51, "dinosaur"),
    (52, 68, "snake"),
    (69, 69, "sea animal"),
    (70, 70, "small crawling animal"),
    (71, 71, "scorpion"),
    (72, 77, "spider"),
    (78, 78, "tick"),
    (79, 79, "centipede"),
    (80, 100, "bird"),
    (101, 101, "elephant"),
    (102, 103, "animal"),
    (104, 104, "kangaroo"),
    (105, 105, "koala"),
    (106, 106, "animal"),
    (107, 107, "jellyfish"),
    (108, 108, "sea animal"),
    (109, 109, "coral"),
    (110, 112, "worm"),
    (113, 114, "snail"),
    (115, 117, "sea animal"),
    (118, 121, "crab"),
    (122, 124, "lobster"),
    (125, 126, "sea animal"),
    (127, 146, "bird"),
    (147, 148, "whale"),
    (149, 149, "sea animal"),
    (150, 150, "seal"),
    (151, 268, "dog"),
    (269, 272, "wolf"),
    (273, 276, "dog"),
    (277, 280, "fox"),
    (281, 285, "cat"),
    (286, 286, "cougar"),
    (287, 287, "big cat"),
    (288, 290, "leopard"),
    (291, 291, "lion"),
    (292, 292, "tiger"),
    (293, 293, "cheetah"),
    (294, 297, "bear"),
    (298, 299, "animal"),
    (300, 307, "beetle"),
    (308, 308, "fly"),
    (309, 309, "bee"),
    (310, 310, "ant"),
    (311, 312, "grasshopper"),
    (313, 318, "insect"),
    (319, 320, "dragonfly"),
    (321, 326, "butterfly"),
    (327, 327, "starfish"),
    (328, 329, "sea animal"),
    (330, 332, "rabbit"),
    (333, 333, "hamster"),
    (334, 334, "rodent"),
    (335, 335, "squirrel"),
    (336, 336, "rodent"),
    (337, 337, "beaver"),
    (338, 338, "guinea pig"),
    (339, 339, "horse"),
    (340, 340, "zebra"),
    (341, 342, "pig"),
    (343, 343, "hoofed animal"),
    (344, 344, "hippopotamus"),
    (345, 345, "cow"),
    (346, 346, "cow"),
    (347, 347, "bison"),
    (348, 349, "sheep"),
    (350, 350, "goat"),
    (351, 353, "antelope"),
    (354, 354, "camel"),
    (355, 355, "llama"),
    (356, 359, "animal"),
    (360, 360, "otter"),
    (361, 364, "animal"),
    (365, 384, "monkey"),
    (385, 386, "elephant"),
    (387, 387, "animal"),
    (388, 388, "panda"),
    (389, 397, "fish"),
)
"""First and last of the thousand classes of ImageNet, in their order, and the node: the animals."""

OBJECTS = """
airplane: airliner, warplane
boat: aircraft carrier, catamaran, trimaran, yawl, fireboat, gondola boat, lifeboat | sailing ship: schooner
ship: container ship, liner | airship: airship | rocket: space shuttle
car: beach wagon, station wagon, convertible, limousine, minivan, model t | jeep: jeep | race car: racer
taxi: cab | truck: pickup, garbage truck, tow truck, trailer truck, moving van
van: police van, recreational vehicle | bus: school bus, trolleybus
bicycle: tricycle, bicycle built for two, unicycle | motorcycle: motor scooter | tank: half track, tank
sledge: dogsled, bobsled
train: bullet train, electric locomotive, steam locomotive, passenger car, freight car
vehicle: streetcar, snowmobile, snowplow, forklift, go kart, golfcart, harvester, thresher
vehicle: mobile home | cart: horse cart, oxcart, rickshaw, barrow, shopping cart | canoe: canoe
guitar: acoustic guitar
musical instrument: bassoon, chime, cornet, french horn, harmonica, marimba, oboe, ocarina
musical instrument: panpipe, steel drum | saxophone: sax | drum: drumstick for drums | organ: pipe organ
piano: grand piano, upright | maracas: maraca | gun: assault rifle, revolver, rifle | sword: scabbard
weapon: projectile | house: thatched roof, tile roof, birdhouse, cliff dwelling, boathouse
church: bell cote, altar, vault | tower: beacon, water tower, obelisk
building: monastery, mobile home, lumbermill, planetarium, yurt, triumphal arch, stupa, megalith
bridge: steel arch bridge, suspension bridge, viaduct
shop: bakery, barbershop, bookshop, butcher shop, candy store, grocery store, shoe shop
shop: tobacco shop, toyshop | theatre: cinema, home theater
chair: barber chair, folding chair, rocking chair, throne | bed: four poster, studio couch
cradle: bassinet, crib | table: dining table, pool table
cabinet: chiffonier, china cabinet, medicine chest, entertainment center, storage chest | bench: park bench
desk: desk | lamp: table lamp, lampshade, spotlight
clock: analog clock, digital clock, wall clock, sundial, hourglass, stopwatch | door: sliding door
window: window screen, window shade | carpet: doormat, prayer rug | curtain: theater curtain
toilet: toilet seat | fence: chainlink fence, picket fence, worm fence | fan: electric fan | bathtub: tub
stairs: bannister | fireplace: fire screen | dress: gown, hoopskirt, kimono, abaya
robe: academic gown, vestment | bra: brassiere | swimsuit: bikini, maillot, swimming trunks
hat: bonnet, cowboy hat, sombrero, mortarboard, bearskin | cap: bathing cap, shower cap
tie: bow tie, bolo tie, windsor tie | skirt: miniskirt, overskirt, sarong
coat: fur coat, trench coat, lab coat | sweater: cardigan, sweatshirt | shirt: jersey | jeans: jean
sock: christmas stocking | glove: mitten | helmet: crash helmet, football helmet, pickelhaube
mask: gasmask, ski mask, oxygen mask
garment: cloak, poncho, pajama, stole, military uniform, bulletproof vest, breastplate, cuirass
garment: chain mail, bib, diaper, feather boa | shoe: running shoe, loafer, clog | boot: cowboy boot
sunglasses: sunglass, sunglasses | watch: digital watch | backpack: backpack | purse: purse
handbag: mailbag | hammer: hammer | axe: hatchet | drill: power drill | saw: chain saw
lock: padlock, combination lock | rope: knot | chain: metal chain | nail: metal nail
tool: can opener, corkscrew, plunger, paintbrush, lawn mower, letter opener, pick, file | knife: cleaver
telephone: dial telephone, cellular telephone, pay phone | camera: polaroid camera, reflex camera
speaker: loudspeaker | keyboard: computer keyboard, typewriter keyboard
computer: desktop computer, notebook, hand held computer | laptop: laptop | screen: monitor
computer mouse: mouse | hard disk: hard disc
device: remote control, cassette player, cd player, tape player, modem, photocopier, oscilloscope
device: ipod music player, joystick, radiator, space heater, odometer, barometer, cash machine
device: slot | device: parking meter, sewing machine, magnetic compass, loupe
kitchen appliance: dishwasher, espresso maker, rotisserie, waffle iron, crock pot | washing machine: washer
vacuum cleaner: vacuum | hair dryer: hand blower
bottle: beer bottle, water bottle, pop bottle, wine bottle, pill bottle
cup: coffee mug, cup, measuring cup, goblet | glass of beer: beer glass | glass of wine: red wine
jug: pitcher, water jug, whiskey jug | pot: caldron, dutch oven | pan: frying pan, wok
bowl: mixing bowl, soup bowl | bucket: bucket | teapot: coffeepot | basket: hamper, shopping basket
barrel: rain barrel | box: chest, crate, carton, pencil box, packet
vessel: beaker, cocktail shaker, milk can, mortar, petri dish, ashcan, tray, saltshaker
spoon: ladle, wooden spoon, spatula | ball: croquet ball, ping pong ball | football: soccer ball
tennis racket: racket
piece of sports equipment: barbell, balance beam, horizontal bar, puck, punching bag, snorkel
teddy bear: teddy bear | puzzle: jigsaw puzzle, crossword puzzle | toy: pinwheel, piggy bank
balloon: balloon | book: book jacket, binder | printed matter: menu | comic book: comic book
sign: scoreboard | flag: flagpole | pillow: pillow | quilt: quilt | towel: bath towel, paper towel, dishrag
bandage: band aid | wool: wool | cobweb: spider web | wall: stone wall | plate: plate of food
dish: consomme, hot pot, carbonara, meat loaf, burrito, mashed potato, potpie, guacamole
dessert: trifle, ice pop | bread: french loaf, dough | hamburger: cheeseburger | hot dog: hotdog
cabbage: head cabbage | vegetable: zucchini, spaghetti squash, acorn squash, butternut squash, cardoon
pepper: bell pepper | apple: granny smith | fruit: jackfruit, custard apple | cup of coffee: espresso
drink: eggnog | ice cream: ice cream | chocolate: chocolate sauce | mountain: alpine mountain
cliff: promontory | sea: coral reef, breakwater | beach: seashore, sandbar | lake: lakeside
harbour: dock, pier | bubbles: bubble | person: groom, scuba diver, ballplayer
flower: yellow lady's slipper, rapeseed
fungus: coral fungus, agaric, gyromitra, stinkhorn, earthstar, hen of the woods, bolete | corn: ear, corn
perfume: perfume | torch: torch | cardboard box: carton
"""
"""Node: ImageNet classes other than animals; one that has a node of its own name needs no entry."""

TEXTURES = {
    "chequered texture": "chequered pattern",
    "cracked texture": "cracked surface",
    "braided texture": "braided pattern",
    "crosshatched texture": "crosshatched pattern",
    "blotchy texture": "blotchy pattern",
    "bumpy texture": "bumpy surface",
    "bubbly texture": "bubbles",
    "cobwebbed texture": "cobweb",
    "crystalline texture": "crystal",
    "banded texture": "striped pattern",
}


def truths(concepts: Sequence[str], nodes: frozenset[str], imagenet: Sequence[str]) -> Mapping[str, str]:
    """Give the node of each concept that the tree has a place for.

    Parameters
    ----------
    concepts : sequence of str
        Names of the sources.
    nodes : frozenset of str
        Names in the tree.
    imagenet : sequence of str
        The thousand class names, first synonyms, in their order.
    """
    known = _listed(OBJECTS) | _animals(imagenet) | _listed(SAME) | TEXTURES
    found = {concept: concept if concept in nodes else known.get(concept) for concept in concepts}
    return {concept: node for concept, node in found.items() if node is not None and node in nodes}


def _listed(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in text.replace("\n", " | ").split(" | "):
        node, _, names = entry.partition(": ")
        found |= {name.strip(): node.strip() for name in names.split(",") if name.strip()}
    return found


def _animals(imagenet: Sequence[str]) -> dict[str, str]:
    found = {}
    for first, last, node in ANIMALS:
        found |= {_plain(name): node for name in imagenet[first : last + 1]}
    return found


def _plain(name: str) -> str:
    """Spell a class name as the sources do."""
    return name.lower().replace("-", " ")
