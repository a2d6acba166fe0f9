"""The name of an iteration that was given none: two words and a number that follow from its id alone.

The lists and the arithmetic must never change, or iterations of older servers would change their names.
"""

from binascii import crc32

_FIRST_WORDS = """
able agile airy alert amber ample azure balmy bold brave breezy brief bright brisk bronze calm candid careful
casual chilly civil clear clever coastal cordial cosmic cosy crimson crisp curious daring deep dewy eager early
earnest easy elegant fair famous fancy fast fearless fine firm floral fluent fond fresh frosty gentle gifted glad
gleaming golden graceful grand green handy happy hardy hazy helpful hidden honest humble icy ideal indigo ivory
jade jolly jovial keen kind lasting leafy lemon level light lilac little lively local loyal lucid lucky lunar
marble mellow merry mighty mild mindful misty modest mossy navy neat nifty nimble noble novel olive open orange
patient pearly placid plain playful polite prime proud pure quick quiet rapid rare ready regal robust rosy round
royal ruby rustic sandy scarlet serene shady sharp shiny silent silver simple sleek smart smooth snowy soft solar
solid sonic spare spry steady stellar still stony sunny swift tall tame teal tender tidal tidy tranquil true upbeat
upper urban useful velvet verdant vivid warm wavy wide willing windy winter wise wooden young zesty
"""
_SECOND_WORDS = """
acorn alder anchor antler apple arbor arrow aspen atlas aurora badger bamboo barley basil bay beacon birch bison
blossom bluff branch breeze bridge brook canoe canyon cape cedar cherry cinder citrus cliff cloud clover comet
compass coral cove crane creek cricket cypress dahlia daisy dale dawn deer delta dew dolphin dove drift dune eagle
echo elm ember falcon fern field finch fir fjord flame flint forest fountain fox gale garden gazelle geyser ginger
glacier glade glen grove gull harbor hare harvest hawk hazel heather hedge heron hill hollow horizon iris island
ivy jasmine juniper kayak kestrel lagoon lake lantern larch lark laurel lily linden lotus lynx magnolia maple marsh
meadow mesa meteor mint mist moon moose moss mountain nebula nutmeg oak oasis ocean orbit orchid osprey otter owl
palm panda path peak pebble pelican pepper pine plover pond poplar prairie puffin quail quartz rain raven reed reef
ridge river robin rowan sage salmon sequoia shore sky snow sparrow spring spruce star starling stone stream summit
sunrise swan thistle thyme tide timber trail tulip valley violet walnut wave willow wind wren zebra
"""
_FIRST, _SECOND = _FIRST_WORDS.split(), _SECOND_WORDS.split()
_NUMBERS = range(100, 1000)


def name_of(iteration_id: str) -> str:
    """Derive the name from the id: "quiet-heron-417"."""
    rest, number = divmod(crc32(iteration_id.encode()), len(_NUMBERS))
    rest, second = divmod(rest, len(_SECOND))
    return f"{_FIRST[rest % len(_FIRST)]}-{_SECOND[second]}-{_NUMBERS[number]}"
