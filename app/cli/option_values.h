#pragma once

// Option values, read strictly: the whole text, no rounding, no locale, the range checked. Every function throws
// UsageError with the option's name.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "engine/core/request.h"

namespace mirror::cli {

// The command line is malformed: exit code 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

std::int64_t integer_value(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most);
std::uint64_t unsigned_value(const std::string& option, const std::string& text);
// Any double that the text spells, infinities and NaN included; the caller decides on the range.
double number_value(const std::string& option, const std::string& text);
double number_value(const std::string& option, const std::string& text, double least, double most);
// "192x128" -> width, height; each 16 to 8,192 and divisible by 16.
std::pair<int, int> size_value(const std::string& option, const std::string& text);
// "0.8", "0.8:3-10"
IdentityStrength strength_value(const std::string& option, const std::string& text);
// "8GiB", "500MB", "1073741824"
std::uint64_t bytes_value(const std::string& option, const std::string& text);
// cpu, cuda, cuda:N
std::string device_value(const std::string& option, const std::string& text);
std::string utf8_value(const std::string& option, const std::string& text);

}  // namespace mirror::cli
