#!/usr/bin/python3
"""Writes engine/listen/tone_plan.inc, the national tone plans of engine/listen/tone_plan.cc.

Run by hand when the plans are renewed, never by the build:
  tools/make_tone_tables.py call_progress_tones.csv

Input: CSV with the columns country, description, tone, definition; the definition in Asterisk's notation
(f, f+f or f*f "/" milliseconds, comma separated; 0/ms is silence; "!" plays once). The plan of 41
countries was extracted from configs/samples/indications.conf.sample of Asterisk at f0c1c1a; the numbers
are facts, those of ITU-T E.180 supplement 2 ("Various tones used in national networks").
"""
import csv
import sys

OUT = "engine/listen/tone_plan.inc"
KINDS = {"ring": "kRing", "busy": "kBusy", "congestion": "kCongestion", "info": "kInfo", "dial": "kDial"}
ISO = {"uk": "gb"}
# A gap shorter than this is told apart from a lost packet by nothing: the tones beside it count as
# adjacent.
GAP_MS_MIN = 60


def band(text):
    """Lowest and highest frequency of one segment's tone, 0 for silence."""
    if "+" in text:
        a, b = sorted(int(f) for f in text.split("+"))
        # 400+15: the low one does not pass a telephone channel.
        return (b, b) if a < 300 else (a, b)
    if "*" in text:
        carrier, modulation = (int(f) for f in text.split("*"))
        return carrier - modulation, carrier + modulation
    return int(text), int(text)


def segments(definition):
    """[(lowest, highest, ms)] of one period; empty for a tone without a cadence."""
    out = []
    for part in definition.replace("!", "").split(","):
        tone, _, ms = part.partition("/")
        if not ms:
            continue  # endless: the last of a once-only sequence, or a tone without cadence
        low, high = band(tone)
        if high == 0 and int(ms) < GAP_MS_MIN:
            continue
        # Nobody tells 420 Hz from 425 after a telephone line.
        for a, b, _ in out:
            if a and abs(a - low) < 0.02 * a and abs(b - high) < 0.02 * b:
                low, high = a, b
        out.append((low, high, int(ms)))
    # A sequence written out several times is one period.
    for period in range(1, len(out)):
        if len(out) % period == 0 and out == out[:period] * (len(out) // period):
            return out[:period]
    return out


def is_sit(period):
    """The three rising tones have a detector of their own."""
    low = [s[0] for s in period if s[1]]
    low = low[:3] if low == (low[:3] * len(low))[: len(low)] else low  # Sweden's is written out
    return len(low) == 3 and 850 <= low[0] <= 1050 and 1300 <= low[1] <= 1500 and 1700 <= low[2] <= 1900


def main():
    countries, patterns, sits = [], {}, {}
    with open(sys.argv[1], encoding="utf-8") as f:
        for row in csv.DictReader(f):
            country, kind = ISO.get(row["country"], row["country"]), KINDS.get(row["tone"])
            if country not in countries:
                countries.append(country)
            if kind is None:
                continue
            period = segments(row["definition"])
            if is_sit(period):
                key = tuple(s[0] for s in period if s[1])[:3]
                sits.setdefault(key, []).append(country)
            elif len(period) > 1:
                patterns.setdefault((kind, tuple(period)), []).append(country)
    assert len(countries) <= 64
    with open(OUT, "w", encoding="utf-8") as f:
        f.write("// Made by tools/make_tone_tables.py; do not edit. National tone plans: facts of ITU-T E.180\n"
                "// supplement 2, as collected in Asterisk's indications.conf.sample.\n\n")
        f.write("// Bit i of TonePattern::countries is row i.\nconstexpr absl::string_view kCountries[] = {\n")
        line = "   "
        for c in countries:
            if len(line) + len(c) + 5 > 100:
                f.write(line + "\n")
                line = "   "
            line += f' "{c}",'
        f.write(line + "\n};\n\nconstexpr TonePattern kPatterns[] = {\n")
        order = list(KINDS.values())
        for (kind, period), where in sorted(patterns.items(), key=lambda p: (order.index(p[0][0]), p[0][1])):
            mask = sum(1 << countries.index(c) for c in where)
            segs = ", ".join(f"{{{a}, {b}, {ms}}}" for a, b, ms in period)
            f.write(f"    // {' '.join(where)}\n"
                    f"    {{ToneKind::{kind}, {len(period)}, 0x{mask:x}, {{{{{segs}}}}}}},\n")
        f.write("};\n\n// First, second and third frequency of the plans' special information tones.\n"
                "constexpr std::array<uint16_t, 3> kSitFrequencies[] = {\n")
        for key, where in sorted(sits.items()):
            f.write(f"    {{{', '.join(map(str, key))}}},  // {' '.join(where)}\n")
        f.write("};\n")


if __name__ == "__main__":
    main()
