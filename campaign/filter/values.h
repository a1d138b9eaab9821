#pragma once

// Numbers, days and flags as people write them into lists and filters. One reading for both sides
// of a comparison, and for a load that checks a column against its type.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace outpace::filter {

// A decimal number: sign, separators of thousands (5,000,000 5'000'000 "5 000 000", and lakhs
// 50,00,000), fraction, exponent, full-width digits, units (千 万 百万 亿 万亿, k, m, million, bn,
// ..., several in a row multiply, several parts add up: 1亿2000万), a currency before or behind it
// and a percent sign, which are passed over: nothing is converted. False: the text is something
// else. Rounded once from its first 18 digits: the units move the decimal point. No allocation.
bool ReadNumber(absl::string_view text, double& number);

// A day as its number since 1970-01-01: YYYY-MM-DD, YYYY/M/D, YYYY.M.D, YYYYMMDD or YYYY年M月D日; a
// time of day behind it is passed over. False: no such day (0000-00-00), or another form; those
// that put the day or month first are not guessed at. No allocation.
bool ReadDay(absl::string_view text, int32_t& day);
int32_t DayNumber(absl::CivilDay day);
std::string DayText(int32_t day);  // "2026-11-22"

// Y yes true 1 是, N no false 0 否; upper or lower case.
bool ReadFlag(absl::string_view text, bool& flag);

// The shortest decimal text that ReadNumber() reads as this number: "5000000", "0.25", "-3e+22".
std::string NumberText(double number);

}  // namespace outpace::filter
