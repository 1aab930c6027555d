"""Makes the shipped fonts from Inter: figures of equal width by default, a name of its own so that an installed Inter stays apart.

Qt 6.4 cannot switch OpenType features on, so the glyphs of the feature `tnum` become the default ones.
Needs fonttools. Usage: make_tabular.py Inter-Regular.otf Inter-SemiBold.otf
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FAMILY = "Mirror Inter"
RANGES = [(0x20, 0x17F), (0x218, 0x21B), (0x2B0, 0x2FF), (0x370, 0x3FF), (0x400, 0x45F), (0x2000, 0x206F), (0x20A0, 0x20BF),
          (0x2100, 0x214F), (0x2190, 0x21FF), (0x2200, 0x22FF), (0x2300, 0x23FF), (0x25A0, 0x25FF)]


def tabular_names(font):
    """Glyph name to the glyph that feature tnum puts in its place."""
    table = font["GSUB"].table
    lookups = {i for r in table.FeatureList.FeatureRecord if r.FeatureTag == "tnum" for i in r.Feature.LookupListIndex}
    names = {}
    for index in lookups:
        for sub in table.LookupList.Lookup[index].SubTable:
            names.update(getattr(getattr(sub, "ExtSubTable", sub), "mapping", {}))
    return names


def rename(font, style):
    for record in font["name"].names:
        new = {1: FAMILY if style == "Regular" else f"{FAMILY} {style}", 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}",
               6: f"{FAMILY}-{style}".replace(" ", ""), 16: FAMILY, 17: style}.get(record.nameID)
        if new:
            record.string = new
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames[0] = f"{FAMILY}-{style}".replace(" ", "")
        cff.topDictIndex[0].FamilyName = FAMILY
        cff.topDictIndex[0].FullName = f"{FAMILY} {style}"


def main():
    for source in map(Path, sys.argv[1:]):
        style = source.stem.split("-")[1]
        font = TTFont(source)
        tabular = tabular_names(font)
        for table in font["cmap"].tables:
            if table.isUnicode():
                for code in range(ord("0"), ord("9") + 1):
                    table.cmap[code] = tabular.get(table.cmap[code], table.cmap[code])
        options = Options()
        options.layout_features = ["kern", "mark", "mkmk", "ccmp", "locl"]
        options.name_IDs = ["*"]
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for low, high in RANGES for code in range(low, high + 1)])
        subsetter.subset(font)
        rename(font, style)
        font.save(f"MirrorInter-{style}.otf")


if __name__ == "__main__":
    main()
