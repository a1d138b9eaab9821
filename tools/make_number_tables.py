#!/usr/bin/python3
"""Writes campaign/number_data/*.csv, the built-in tables of telephone numbers (docs/NUMBERS.md), and
campaign/{region,zone_name}_table.inc.

Run by hand when the tables are renewed, never by the build:
  apt-get install python3-phonenumbers tzdata
  tools/make_number_tables.py nanp_area_codes.csv cn_mobile_ranges_2015.csv

Sources: places, carriers, time zones and country codes from libphonenumber's metadata (Debian package
python3-phonenumbers, Apache-2.0); area codes of the United States from the npm package areacodes 0.2.1
(MIT, from NANPA reports: columns area_code,type,city,state,state_code); Chinese mobile ranges of 2015
from the npm package query-mobile-phone-area 1.0.6 (MIT: columns
prefix7_first,prefix7_last,province,city,carrier), used where libphonenumber has no row; names of zones
from tzdata (public domain).
"""
import csv
import re
import sys
import zoneinfo

import phonenumbers
from phonenumbers.carrierdata import CARRIER_DATA
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

OUT = "campaign/"
# Slips of the metadata that a caller must not inherit, by area or country code: Newfoundland is not in
# Puerto Rico's zone, Toronto's overlay not in Winnipeg's, Saskatchewan has no summer time, Orlando is in
# the east, and Kaliningrad does not go over to summer time with Bucharest.
CORRECTED = {("709", "America/Puerto_Rico"): None, ("437", "America/Winnipeg"): "America/Toronto",
             ("474", "America/Winnipeg"): "America/Regina", ("689", "America/Chicago"): "America/New_York",
             ("7", "Europe/Bucharest"): "Europe/Kaliningrad"}
# Areas of more than one zone and the overlays that cover the same ground, whose rows the metadata gives
# one zone only: all of a line have the zones of all. Lloydminster's side in Saskatchewan keeps Alberta's
# time.
SAME_GROUND = [("208", "986"), ("250", "236", "257", "672", "778"), ("270", "364"), ("418", "367", "581"),
               ("541", "458"), ("812", "930"), ("850", "448"), ("306", "474", "639")]
ALSO_IN = {"306": "America/Edmonton"}

# Overlays that the sources are too old for, each with the area code it lies over. Checked against the
# metadata of libphonenumber 9.0.35 (July 2026), which has all but 436, 621, 624, 837, 861 and 924; 621
# was told by the Public Utility Commission of Texas for 2025-01-23, the others are from memory. An
# operator's nanp.csv wins over them.
OVERLAYS = {
    "235": "573", "257": "250", "324": "904", "329": "845", "350": "209", "353": "608", "354": "450",
    "363": "516", "369": "707", "382": "519", "428": "506", "436": "440", "472": "910", "557": "314",
    "621": "713", "624": "716", "645": "305", "683": "705", "686": "804", "728": "561", "730": "618",
    "738": "213", "748": "970", "821": "864", "835": "610", "837": "530", "861": "309", "924": "507",
    "942": "416", "983": "303",
}
# In the sources, but planned only and given up: 734's overlay and a part of 707.
NEVER_OPENED = ("278", "627")
# Suffolk County around New York, which the metadata takes for the city.
NOT_ONE_CITY = ("934",)
US_STATES = {
    "Alabama": "AL", "Alaska": "AK", "Arizona": "AZ", "Arkansas": "AR", "California": "CA", "Colorado": "CO",
    "Connecticut": "CT", "Delaware": "DE", "Florida": "FL", "Georgia": "GA", "Hawaii": "HI", "Idaho": "ID",
    "Illinois": "IL", "Indiana": "IN", "Iowa": "IA", "Kansas": "KS", "Kentucky": "KY", "Louisiana": "LA",
    "Maine": "ME", "Maryland": "MD", "Massachusetts": "MA", "Michigan": "MI", "Minnesota": "MN",
    "Mississippi": "MS", "Missouri": "MO", "Montana": "MT", "Nebraska": "NE", "Nevada": "NV",
    "New Hampshire": "NH", "New Jersey": "NJ", "New Mexico": "NM", "New York": "NY", "North Carolina": "NC",
    "North Dakota": "ND", "Ohio": "OH", "Oklahoma": "OK", "Oregon": "OR", "Pennsylvania": "PA",
    "Rhode Island": "RI", "South Carolina": "SC", "South Dakota": "SD", "Tennessee": "TN", "Texas": "TX",
    "Utah": "UT", "Vermont": "VT", "Virginia": "VA", "Washington State": "WA", "West Virginia": "WV",
    "Wisconsin": "WI", "Wyoming": "WY", "Washington D.C.": "DC",
}
CA_PROVINCES = {
    "Alberta": "AB", "British Columbia": "BC", "Manitoba": "MB", "New Brunswick": "NB",
    "Newfoundland and Labrador": "NL", "Nova Scotia/Prince Edward Island": "NS/PE", "Ontario": "ON",
    "Northwest Territories/Nunavut/Yukon": "NT/NU/YT", "Quebec": "QC", "Saskatchewan": "SK",
}
CN_PROVINCES = (
    "北京 天津 上海 重庆 河北 山西 内蒙古 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 "
    "广西 海南 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 香港").split()
CN_PEOPLES = re.compile(
    "(?:(?:哈尼|彝|白|傣|景颇|傈僳|壮|苗|藏|羌|回|蒙古|哈萨克|柯尔克孜|朝鲜|土家|侗|布依)族?)+自治州$")
# Names that cities no longer bear, or that stand for the area around them.
CN_RENAMED = {"襄樊": "襄阳", "海拉尔": "呼伦贝尔", "临河": "巴彦淖尔", "集宁": "乌兰察布", "都匀": "黔南", "吉首": "湘西",
              "江汉": "天门、仙桃、潜江", "株州": "株洲"}
CARRIERS = {"CBN": "中国广电"}

# The mainland's zones whose hours span the United States and Canada: a window that is open in all of
# them is open everywhere between Newfoundland and the Pacific.
NORTH_AMERICA = ("America/Chicago America/Denver America/Los_Angeles America/New_York America/Phoenix "
                 "America/St_Johns")
# Australia's metadata puts every mobile in Sydney; mobiles move, Queensland has no summer time, 07 5
# reaches into New South Wales, and Lord Howe Island has its own half hour.
AUSTRALIA = {
    "61": "Australia/Adelaide Australia/Brisbane Australia/Darwin Australia/Perth Australia/Sydney",
    "612": "Australia/Sydney",
    "6126563": "Australia/Lord_Howe Australia/Sydney",
    "613": "Australia/Hobart Australia/Melbourne",
    "617": "Australia/Brisbane",
    "6175": "Australia/Brisbane Australia/Sydney",
    "618": "Australia/Adelaide Australia/Darwin Australia/Perth",
    "61880": "Australia/Adelaide Australia/Broken_Hill",
    "61889": "Australia/Adelaide Australia/Darwin",
    "61890": "Australia/Darwin Australia/Eucla Australia/Perth",
}
OWN_ZONES = dict(AUSTRALIA, **{"1": NORTH_AMERICA, "44": "Europe/London", "86": "Asia/Shanghai",
                               "852": "Asia/Hong_Kong"})


def corrected(code, zones):
    return {z for z in (CORRECTED.get((code, z), z) for z in zones) if z}


def runs(prefixes):
    """Sorted prefixes of any lengths as "130 1310-1312 ...": neighbours of one length are joined."""
    out = []
    for p in sorted(set(prefixes), key=lambda p: (len(p), p)):
        if out and len(out[-1][1]) == len(p) and int(out[-1][1]) + 1 == int(p):
            out[-1][1] = p
        else:
            out.append([p, p])
    return " ".join(a if a == b else f"{a}-{b}" for a, b in out)


def write(name, licence, header, groups):
    """`groups`: attributes -> prefixes. One row each, in the order of their first prefix."""
    rows = sorted(((min(prefixes), attributes, prefixes) for attributes, prefixes in groups.items()))
    with open(f"{OUT}number_data/{name}", "w", encoding="utf-8") as f:
        f.write(f"# Made by tools/make_number_tables.py. {licence}\n{header}\n")
        for _, attributes, prefixes in rows:
            assert not any(c in field for field in attributes for c in ',"\n'), attributes
            f.write(",".join([*attributes, runs(prefixes)]) + "\n")


def group(pairs):
    out = {}
    for prefix, attributes in pairs:
        out.setdefault(attributes, []).append(prefix)
    return out


def zones_of_areas(npm):
    """Area code -> zones: the union over all its longer prefixes, since a number may be ported inside
    its area and a window must be open in every zone that comes into question."""
    area = {}
    for prefix, zones in TIMEZONE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4:
            npa = prefix[1:4]
            area.setdefault(npa, set()).update(corrected(npa, zones))
    by_state, missing = {}, []
    for npa, row in npm.items():
        if npa in area:
            by_state.setdefault(row["state_code"], set()).update(area[npa])
        else:
            missing.append(npa)
    for npa in missing:
        if npm[npa]["state_code"] in by_state:
            area[npa] = by_state[npm[npa]["state_code"]]
    for npa, parent in OVERLAYS.items():
        area.setdefault(npa, area[parent])
    for npa, zone in ALSO_IN.items():
        area[npa].add(zone)
    for ground in SAME_GROUND:
        zones = set().union(*(area[npa] for npa in ground))
        for npa in ground:
            area[npa] = zones
    return area


def country_of_area(npa):
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]:
        pattern = phonenumbers.PhoneMetadata.metadata_for_region(region).leading_digits
        if pattern and any(re.match(p, npa) for p in pattern.split("|")):
            return region
    return None


def north_america(path):
    with open(path, encoding="utf-8") as f:
        npm = {row["area_code"]: row for row in csv.DictReader(f) if row["type"] == "local"}
    zones = zones_of_areas(npm)

    def place(npa):
        island = country_of_area(npa)
        if island:
            return island, "", ""
        label = GEOCODE_DATA.get("1" + npa, {}).get("en", "")
        if label in CA_PROVINCES:
            return "CA", CA_PROVINCES[label], ""
        if label in US_STATES:
            return "US", US_STATES[label], ""
        if ", " in label:  # an area code that is one city
            city, state = label.split(", ")
            if npa in NOT_ONE_CITY:
                city = ""
            return ("CA" if state in CA_PROVINCES.values() else "US"), state, city
        if npa in npm:
            return "US", npm[npa]["state_code"], ""
        if npa == "905":  # around Toronto; the metadata has no name for it
            return "CA", "ON", ""
        if npa in OVERLAYS:
            return place(OVERLAYS[npa])[:2] + ("",)
        by_zone = set(zones[npa])
        canadian = {"America/Toronto", "America/Vancouver", "America/Winnipeg", "America/Edmonton",
                    "America/Regina", "America/Halifax", "America/St_Johns"}
        return ("CA" if by_zone & canadian else "US"), "", ""

    rows = {npa: ("geographic", *place(npa), " ".join(sorted(z))) for npa, z in zones.items()
            if npa not in NEVER_OPENED}
    for npa in ("800", "833", "844", "855", "866", "877", "888"):
        rows[npa] = ("toll_free", "", "", "", NORTH_AMERICA)
    for npa in ("500", "521", "522", "523", "524", "525", "526", "527", "528", "529", "532", "533", "538",
                "542", "543", "544", "545", "546", "547", "549", "550", "552", "553", "554", "556", "566",
                "569", "577", "578", "588", "589"):
        rows[npa] = ("personal", "", "", "", NORTH_AMERICA)
    write("nanp.csv", "Data: libphonenumber metadata (Apache-2.0), npm areacodes 0.2.1 (MIT).",
          "kind,country,state,city,zones,prefixes", group(rows.items()))

    cities = {}
    for prefix, labels in GEOCODE_DATA.items():
        if not prefix.startswith("1") or len(prefix) <= 4:
            continue
        parts = labels.get("en", "").replace('"', "").split(", ")
        if len(parts) > 1:
            cities[prefix[1:]] = (parts[-1], parts[-2])
        elif parts[0] and parts[0] not in US_STATES and parts[0] not in CA_PROVINCES:
            cities[prefix[1:]] = ("", parts[0])
    write("nanp_city.csv", "Data: libphonenumber metadata (Apache-2.0).", "state,city,prefixes",
          group(cities.items()))


def short_place(label):
    """ "山东省济南市" -> ("山东", "济南"); several places are kept all: "沈阳、铁岭". """
    province = next(p for p in CN_PROVINCES if label.startswith(p))
    rest = label[len(province):]
    rest = re.sub("^(省|市|自治区|壮族自治区|回族自治区|维吾尔自治区|特别行政区)", "", rest)
    names = []
    for name in rest.split("、"):
        name = CN_PEOPLES.sub("", name)
        name = re.sub("(市|地区|盟)$", "", name) if len(name) > 2 else name
        name = CN_RENAMED.get(name, name)
        if name and name not in names:
            names.append(name)
    return province, "、".join(names) or province


def china(path):
    def is_mobile(national):
        return national[0] == "1" and national[1] >= "3"

    geo = {p[2:]: labels.get("zh") or labels.get("en") for p, labels in GEOCODE_DATA.items()
           if p.startswith("86") and len(p) > 3}
    places = {}
    with open(path, encoding="utf-8") as f:
        for row in csv.DictReader(f):
            city = row["city"].replace("江汉（天门/仙桃/潜江）区", "天门、仙桃、潜江")
            place = short_place(row["province"] + city)
            if row["province"] in ("北京", "上海", "天津", "重庆", "香港"):
                place = (row["province"], row["province"])
            for prefix in range(int(row["prefix7_first"]), int(row["prefix7_last"]) + 1):
                places[str(prefix)] = place
    for prefix in sorted(geo, key=len):
        place = short_place(geo[prefix])
        if is_mobile(prefix):
            n = 7 - len(prefix)
            for tail in range(10 ** n):
                places[prefix + (f"{tail:0{n}}" if n else "")] = place
        else:
            places[prefix] = place
    write("cn_geo.csv", "Data: libphonenumber metadata (Apache-2.0), npm query-mobile-phone-area 1.0.6 (MIT).",
          "province,city,prefixes", group(places.items()))
    carriers = {p[2:]: (CARRIERS.get(names.get("zh") or names["en"], names.get("zh") or names["en"]),)
                for p, names in CARRIER_DATA.items() if p.startswith("86")}
    write("cn_carrier.csv", "Data: libphonenumber metadata (Apache-2.0).", "carrier,prefixes",
          group(carriers.items()))


def britain():
    rows = {}
    islands = {"1481": ("GG", "Guernsey"), "1534": ("JE", "Jersey"), "1624": ("IM", "Isle of Man")}
    for prefix, labels in GEOCODE_DATA.items():
        if not prefix.startswith("44") or len(prefix) == 2:
            continue
        national = prefix[2:]
        region, area = islands.get(national[:4], ("GB", ""))
        if national.startswith("28"):
            area = "Northern Ireland"
        rows[national] = (region, area, labels["en"].replace(", ", "/"))
    # Mobiles of the islands, where the metadata says so for every number tried of a thousand-block.
    for prefix in range(7000, 8000):
        regions = {
            phonenumbers.region_code_for_number(phonenumbers.parse(f"+44{prefix}{tail}"))
            for tail in ("000000", "123456", "271828", "345678", "500000", "654321", "787878", "999999")
        }
        region = regions.pop()
        if not regions and region in ("GG", "JE", "IM"):
            area = {r: a for r, a in islands.values()}[region]
            rows[str(prefix)] = (region, area, "")
    write("gb.csv", "Data: libphonenumber metadata (Apache-2.0).", "region,area,city,prefixes",
          group(rows.items()))


def world_zones():
    """The rest of the world: longest prefix wins; a row that says what its parent says is left out."""
    rows = {}
    for prefix, zones in TIMEZONE_DATA.items():
        cc = phonenumbers.phonenumberutil._extract_country_code(prefix + "0000000")[0]
        if str(cc) in ("1", "44", "86", "852", "61"):
            continue
        # Prefixes longer than seven digits are folded into their first seven.
        rows.setdefault(prefix[:7], set()).update(corrected(str(cc), zones))
    kept = {}
    for prefix in sorted(rows, key=lambda p: (len(p), p)):
        parent = next((rows[prefix[:n]] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in kept), None)
        if parent != rows[prefix]:
            kept[prefix] = rows[prefix]
    pairs = [(p, (" ".join(sorted(z)),)) for p, z in kept.items()]
    pairs += [(p, (z,)) for p, z in OWN_ZONES.items()]
    write("zones.csv", "Data: libphonenumber metadata (Apache-2.0).", "zones,prefixes", group(pairs))


def include_files():
    def head(f, what, licence):
        f.write(f"// Made by tools/make_number_tables.py; do not edit. {what}\n// {licence}\n")

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


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    north_america(sys.argv[1])
    china(sys.argv[2])
    britain()
    world_zones()
    include_files()


main()
