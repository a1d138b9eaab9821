#!/usr/bin/python3
"""Writes campaign/*_table.inc, the prefix tables of campaign/number_plan.cc.

Run by hand when the tables are renewed, never by the build:
  apt-get install python3-phonenumbers tzdata
  tools/make_number_tables.py nanp_area_codes.csv

Sources: time zones of prefixes and country codes from libphonenumber's metadata (Debian package
python3-phonenumbers, Apache-2.0); area codes and their states from the npm package areacodes 0.2.1
(MIT, from NANPA reports); names of zones from tzdata (public domain).
"""
import csv
import re
import sys
import zoneinfo

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

OUT = "campaign/"
# Slips of the metadata that a caller must not inherit, by area or country code: Newfoundland is not in
# Puerto Rico's zone, and Kaliningrad does not go over to summer time with Bucharest.
CORRECTED = {("709", "America/Puerto_Rico"): None, ("7", "Europe/Bucharest"): "Europe/Kaliningrad"}


def corrected(code, zones):
    return {z for z in (CORRECTED.get((code, z), z) for z in zones) if z}


def head(f, what, licence):
    f.write(f"// Made by tools/make_number_tables.py; do not edit. {what}\n// {licence}\n")


def main():
    sets = {}

    def zone_set(zones):
        assert zones
        return sets.setdefault(" ".join(sorted(zones)), len(sets))

    # North America: one row an area code, the union over all its longer prefixes, since a number
    # may be ported inside its area and a window must be open in every zone that comes into question.
    area = {}
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            npa = prefix[1:4]
            area.setdefault(npa, set()).update(corrected(npa, zones))
    by_state, missing = {}, []
    with open(sys.argv[1], encoding="utf-8") as f:
        for row in csv.DictReader(f):
            npa, state = row["area_code"], row["state_code"]
            if row["type"] != "local":
                continue
            if npa in area:
                by_state.setdefault(state, set()).update(area[npa])
            else:
                missing.append((npa, state))
    for npa, state in missing:
        if state in by_state:
            area[npa] = by_state[state]
    caribbean_and_islands = {
        str(m) for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1] if region not in ("US", "CA")
        for m in (phonenumbers.PhoneMetadata.metadata_for_region(region).leading_digits or "").split("|")
        if m
    }
    islands = set()
    for npa in area:
        for pattern in caribbean_and_islands:
            if re.match(pattern, npa):
                islands.add(npa)
    with open(OUT + "nanp_table.inc", "w") as f:
        head(f, "Area code, index into kZoneSets, in the US or Canada.",
             "Data: libphonenumber metadata (Apache-2.0), npm areacodes 0.2.1 (MIT).")
        for npa in sorted(area):
            f.write(f"{{{npa}, {zone_set(area[npa])}, {'false' if npa in islands else 'true'}}},\n")

    # The rest of the world: longest prefix wins; a row that says what its parent says is left out.
    own = ("1", "44", "86", "852", "61")
    rows = {}
    for prefix, zones in TIMEZONE_DATA.items():
        cc = phonenumbers.phonenumberutil._extract_country_code(prefix + "0000000")[0]
        if str(cc) in own:
            continue
        # Prefixes longer than seven digits are folded into their first seven.
        rows.setdefault(prefix[:7], set()).update(corrected(str(cc), zones))
    kept = {}
    for prefix in sorted(rows, key=lambda p: (len(p), p)):
        parent = next((rows[prefix[:n]] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in kept), None)
        if parent != rows[prefix]:
            kept[prefix] = rows[prefix]
    with open(OUT + "tz_prefix_table.inc", "w") as f:
        head(f, "E.164 prefix, index into kZoneSets, in the order of the prefixes as text.",
             "Data: libphonenumber metadata (Apache-2.0).")
        for prefix in sorted(kept):
            f.write(f'{{{prefix}, {zone_set(kept[prefix])}}},\n')

    with open(OUT + "zone_set_table.inc", "w") as f:
        head(f, "Sets of IANA zones, blank-separated.", "Data: libphonenumber metadata (Apache-2.0).")
        for text in sets:
            f.write(f'"{text}",\n')

    with open(OUT + "region_table.inc", "w") as f:
        head(f, "ISO 3166 code, country calling code.", "Data: libphonenumber metadata (Apache-2.0).")
        pairs = sorted((r, cc) for cc, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
                       for r in regions if r != "001")
        for region, cc in pairs:
            f.write(f'{{"{region}", {cc}}},\n')

    with open(OUT + "zone_name_table.inc", "w") as f:
        head(f, "Every IANA zone and link, sorted: FindTimeZone opens no other file.",
             "Data: tzdata (public domain).")
        for name in sorted(zoneinfo.available_timezones()):
            if name not in ("localtime", "Factory"):
                f.write(f'"{name}",\n')


main()
