"""What a caption can be about: a tree of things and places, settings, and styles, in our own words.

The more general a word, the surer it can be said: `compose` climbs this tree until it is sure enough.
"""

from __future__ import annotations

from typing import NamedTuple

ROOT = ""
"""Stands for anything at all."""

TREE = """
person: man, woman, boy, girl, child, baby, face, crowd of people, hand
animal: monkey, elephant, giraffe, zebra, kangaroo, panda, bear, fox, rabbit, hedgehog, raccoon
animal: beaver, llama, rhinoceros, hippopotamus, camel, koala, otter, bat, dinosaur
animal / dog: puppy, dalmatian, terrier, poodle, wolf
animal / cat: kitten
animal / big cat: lion, tiger, leopard, cheetah, cougar
animal / hoofed animal: horse, donkey, cow, sheep, goat, pig, deer, antelope, bison
animal / rodent: mouse, squirrel, hamster, guinea pig
animal / bird: chicken, rooster, duck, goose, swan, owl, parrot, eagle, pigeon, sparrow, crow, stork
animal / bird: ostrich
animal / bird: penguin, peacock, flamingo, heron, hummingbird, gull
animal / sea animal: shark, whale, dolphin, seal, octopus, jellyfish, starfish, lobster, crab, shrimp
animal / sea animal: ~coral
animal / sea animal: sea horse, shell
animal / fish: goldfish, ray
animal / reptile: snake, lizard, crocodile, turtle
animal / amphibian: frog, salamander
animal / insect: butterfly, bee, beetle, ant, fly, dragonfly, grasshopper, mayfly
animal / small crawling animal: spider, scorpion, snail, worm, centipede, tick
plant: leaf, ~grass, cactus, bonsai, fern, ~hay
plant / tree: palm tree
plant / flower: rose, daisy, sunflower, tulip, dandelion, lily, lotus, orchid
plant / mushroom: ~fungus
food: ~bread, ~cheese, egg, ~chocolate, ~meat, pretzel, bagel
food / fruit: apple, banana, orange, lemon, strawberry, pineapple, pear, ~grapes, melon, pomegranate
food / fruit: fig, cherry
food / vegetable: tomato, carrot, potato, cucumber, cabbage, broccoli, cauliflower, pumpkin, pepper
food / vegetable: corn, ~peas
food / vegetable: artichoke, ~garlic
food / dish: pizza, hamburger, sandwich, ~soup, ~salad, ~noodles, ~sushi, hot dog, ~rice
food / dessert: cake, ~ice cream, cookie, pie
food / drink: cup of coffee, glass of wine, glass of beer, ~tea, ~juice, ~milk
vehicle: train, tractor, tank, cart, wheelchair, scooter, sledge
vehicle / car: taxi, sports car, jeep, ambulance, van, race car
vehicle / truck: fire engine
vehicle / bus: minibus
vehicle / bicycle: mountain bike
vehicle / motorcycle: moped
vehicle / aircraft: airplane, helicopter, hot air balloon, airship, rocket, parachute
vehicle / boat: sailing ship, ferry, canoe, speedboat, ship, submarine
building: house, skyscraper, castle, church, temple, mosque, tower, lighthouse, barn, factory, bridge
building: ~ruins
building: pyramid, monument, dam, pagoda, stadium, wall, fountain, windmill, greenhouse, prison
building: palace
place outdoors: garden, park, desert, island, cave, playground, tennis court, cemetery, farm, volcano
place outdoors: road
place outdoors: harbour, valley, cliff
place outdoors / mountain: glacier, snowy mountain
place outdoors / ^sea: beach, ~waves, ^coast
place outdoors / water: lake, river, waterfall, swamp
place outdoors / forest: jungle, path through woods
place outdoors / field: meadow
place outdoors / city street: market, village, railway, alley
place outdoors / ^sky: cloudy sky, sunset, sunrise, night sky, ~lightning, rainbow, ~sunshine
place outdoors / weather: ~rain, ~fog, ~snow
room: kitchen, bedroom, bathroom, living room, office, classroom, library, restaurant, shop, museum
room: corridor
room: computer room, theatre, gym, garage, art gallery, ice rink, stage, church interior
object / piece of furniture: chair, table, sofa, bed, desk, bookcase, cabinet, bench, cradle, wardrobe
object / piece of furniture: stool
object / household fixture: lamp, door, window, clock, mirror, carpet, curtain, bathtub, chandelier
object / household fixture: candle, stove, toilet
object / household fixture: fireplace, fan, fence, gate, ~stairs
object / garment: shirt, t-shirt, ~trousers, ~jeans, ~shorts, skirt, dress, coat, jacket, sweater
object / garment: suit, hat, cap, tie
object / garment: scarf, sock, glove, swimsuit, robe, apron, bra, long sleeve top, helmet, mask, wig
object / footwear: shoe, boot, sandal
object / accessory: ~glasses, ~sunglasses, handbag, backpack, umbrella, wallet, ring, necklace, watch
object / accessory: belt, purse
object / musical instrument: guitar, electric guitar, piano, violin, drum, trumpet, saxophone, flute
object / musical instrument: accordion, harp
object / musical instrument: organ, banjo, mandolin, cello, trombone, ~maracas, gong
object / tool: hammer, ~scissors, wrench, saw, screwdriver, shovel, drill, axe, ladder, key, lock
object / tool: nail, screw, rope
object / tool: ~chain, anchor, hook, plow, broom, brush
object / weapon: gun, sword, cannon, knife, bow, shield, missile
object / device: telephone, television, camera, radio, printer, microphone, speaker, typewriter
object / device: ~headphones, projector
object / device: robot, gramophone, calculator, scale, microscope, telescope, ~binoculars, torch
object / device: switch, vending machine
object / computer: laptop, keyboard, screen, computer mouse
object / kitchen appliance: oven, refrigerator, toaster, washing machine, microwave, iron
object / kitchen appliance: vacuum cleaner, coffee maker
object / vessel: bottle, bowl, plate, cup, vase, jug, pot, pan, bucket, barrel, basket, box, can, tray
object / vessel: teapot, jar
object / cutlery: spoon, fork, ~chopsticks
object / ball: football, basketball, tennis ball, volleyball, baseball, golf ball, rugby ball
object / piece of sports equipment: tennis racket, baseball bat, ski, skate, dumbbell, surfboard, skateboard
object / piece of sports equipment: ~parallel bars
object / toy: doll, teddy bear, balloon, kite, puzzle, swing, ~playing cards, chess board
object / printed matter: book, newspaper, page of text, ~handwriting, map, chart, comic book, envelope
object / printed matter: stamp
object / work of art: sculpture, painting, totem pole, mosaic, pottery
object / money: coin, banknote
object / sign: street sign, traffic light, stop sign, flag, billboard, symbol
object / packaging: cardboard box, plastic bag, ~rubbish, sheet of paper, metal can, glass bottle
object / packaging: plastic bottle
object / medical thing: pill, syringe, stethoscope, bandage, crutch
object / piece of linen: pillow, blanket, towel, quilt, shower curtain
object / electronics: circuit board, cable, hard disk, plug
object / personal care product: lipstick, perfume, comb, soap dispenser, lotion, hair dryer
surface: brick wall, ~wood grain, ~fabric, ~marble, ~rust, ~bubbles, honeycomb, ~gravel, ~sand, ~rock
surface: ~ice, ~fur
surface: net, cobweb, ~leather, ~wool
surface / pattern: striped pattern, ~polka dots, chequered pattern, cracked surface, braided pattern
surface / pattern: crystal
surface / pattern: blotchy pattern, crosshatched pattern, bumpy surface
sight in the sky: ^moon, planet, galaxy, comet, ~fireworks, ~earth seen from space, ^sun
fire: campfire, ~smoke, explosion
scientific picture: ~blood cells, x-ray, satellite image, fingerprint, brain scan, diagram, brain
"""
"""One line a parent: the path from general to special, then its children.

``~`` marks what takes no article, ``^`` what takes *the*.
"""

ARTICLES = {"~": "", "^": "the"}

BARE = (
    "food",
    "footwear",
    "cutlery",
    "printed matter",
    "money",
    "packaging",
    "electronics",
    "weather",
    "fire",
)
"""General words that take no article either."""

SETTINGS = {
    "beach": "on a beach",
    "snow": "in snow",
    "forest": "in a forest",
    "grass": "on grass",
    "field": "in a field",
    "garden": "in a garden",
    "mountain": "in front of a mountain",
    "sea": "by the sea",
    "water": "in water",
    "sky": "in the sky",
    "city street": "on a street",
    "road": "on a road",
    "desert": "in a desert",
    "sunset": "at sunset",
    "night": "at night",
    "rain": "in rain",
    "kitchen": "in a kitchen",
    "bedroom": "in a bedroom",
    "office": "in an office",
    "shop": "in a shop",
    "stage": "on a stage",
    "table": "on a table",
    "white background": "on a white background",
}
"""Word whose vector stands for a setting → how it is said after the subject."""

STYLES = {
    "painting": "a painting of",
    "cartoon": "a cartoon of",
    "pencil sketch": "a sketch of",
}
"""Word whose vector stands for a style → how a caption begins instead of `OPENING`."""

OPENING = "a picture of"
"""How a caption begins when no style is sure: even *photo* would be a claim."""


class Concept(NamedTuple):
    """One node of the tree."""

    name: str
    """What is embedded: ``dog``."""
    parent: str
    """A more general name, or `ROOT`."""
    article: str = "a"
    """``a``, ``the``, or empty."""

    @property
    def phrase(self) -> str:
        """How a sentence says it: ``a dog``, ``an apple``, ``bread``."""
        article = "an" if self.article == "a" and self.name[:1] in "aeiou" else self.article
        return f"{article} {self.name}".strip()


def concepts(tree: str = TREE) -> tuple[Concept, ...]:
    """Read a tree, parents before children, each name once."""
    found: dict[str, Concept] = {}

    def add(marked: str, parent: str) -> None:
        name = marked.lstrip("~^")
        article = "" if name in BARE else ARTICLES.get(marked[:1], "a")
        if name not in found:
            found[name] = Concept(name, parent, article)

    for line in tree.strip().splitlines():
        path, _, children = line.partition(":")
        above = ROOT
        for name in path.split(" / "):
            add(name, above)
            above = name.lstrip("~^")
        for name in children.split(","):
            add(name.strip(), above)
    return tuple(found.values())
