"""Everyday words: the labels when a user names none, and what chance is measured with.

A score says how much better a label fits a picture than these words do on average, so they should cover what
people photograph, evenly, and hold no near-synonyms.
"""

from __future__ import annotations

EVERYDAY: tuple[str, ...] = tuple(
    word
    for line in """
    person, baby, crowd of people, face, hand
    cat, dog, horse, cow, sheep, pig, rabbit, mouse, monkey, bear, lion, elephant, giraffe, zebra, deer
    bird, chicken, duck, owl, parrot, eagle, fish, shark, whale, turtle, snake, lizard, frog, crab
    butterfly, bee, spider, beetle, snail, dinosaur
    flower, tree, leaf, grass, cactus, mushroom, fruit, apple, banana, orange, strawberry
    vegetable, tomato, carrot
    bread, cake, pizza, hamburger, sandwich, soup, salad, noodles, sushi, ice cream, cheese, egg
    meat, chocolate
    cup of coffee, glass of wine, bottle, plate, bowl, spoon, knife
    car, bus, truck, train, bicycle, motorcycle, airplane, helicopter, rocket, boat, sailing ship
    road, bridge, traffic light, street sign, railway, airport
    house, skyscraper, castle, church, temple, tower, factory, ruins, city street, village, market
    mountain, beach, sea, lake, river, waterfall, forest, desert, field, garden, snow, cloudy sky
    sunset, night sky
    moon, planet, galaxy, fire, rain, rainbow, rock, cave, island
    kitchen, bedroom, bathroom, living room, office, classroom, library, restaurant, shop, museum
    stadium
    chair, table, sofa, bed, lamp, door, window, stairs, clock, mirror, carpet, curtain
    computer, keyboard, telephone, television, camera, printer, microscope, circuit board
    book, newspaper, page of text, handwriting, map, chart, painting, drawing, sculpture, coin
    banknote, stamp
    guitar, piano, violin, drum, trumpet, football, tennis racket, basketball, chess board
    playing cards, toy, doll
    shirt, trousers, dress, shoe, hat, glasses, handbag, backpack, umbrella, watch, ring, necklace
    hammer, scissors, wrench, rope, ladder, bucket, basket, box, key, candle, balloon, flag, gun, sword
    brick wall, wood grain, fabric, marble, striped pattern, polka dots, rust, bubbles, honeycomb
    blood cells, x-ray, satellite image, fingerprint, brain scan
    """.strip().splitlines()
    for word in line.strip().split(", ")
)
"""About 250 nouns, each once, in a fixed order: the order is part of what makes scores repeatable."""
