#include "app/cli/option_values.h"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"

namespace mirror::cli {

namespace {

constexpr int kSideStep = 16;

[[noreturn]] void refuse(const std::string& option, const std::string& text, const std::string& wanted) {
    throw UsageError(option + " wants " + wanted + ", not '" + escape_for_message(text) + "'");
}

template <typename Number>
bool reads_whole(std::string_view text, Number& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string shortest(double value) {
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    return {buffer.data(), end};
}

}  // namespace

std::int64_t integer_value(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most) {
    std::int64_t value = 0;
    if (!reads_whole(text, value) || value < least || value > most)
        refuse(option, text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return value;
}

std::uint64_t unsigned_value(const std::string& option, const std::string& text) {
    std::uint64_t value = 0;
    if (!reads_whole(text, value)) refuse(option, text, "a whole number from 0 to 18446744073709551615");
    return value;
}

double number_value(const std::string& option, const std::string& text) {
    double value = 0;
    if (!reads_whole(text, value)) refuse(option, text, "a number");
    return value;
}

double number_value(const std::string& option, const std::string& text, double least, double most) {
    double value = 0;
    if (!reads_whole(text, value) || !(value >= least && value <= most))
        refuse(option, text, "a number from " + shortest(least) + " to " + shortest(most));
    return value;
}

std::pair<int, int> size_value(const std::string& option, const std::string& text) {
    const auto is_side = [](int side) {
        return side >= limits::kMinSide && side <= limits::kMaxSide && side % kSideStep == 0;
    };
    const std::string_view view = text;
    const auto cross = view.find('x');
    int width = 0, height = 0;
    if (cross == std::string_view::npos || !reads_whole(view.substr(0, cross), width) ||
        !reads_whole(view.substr(cross + 1), height) || !is_side(width) || !is_side(height))
        refuse(option, text, "WIDTHxHEIGHT, each 16 to 8192 and divisible by 16");
    return {width, height};
}

IdentityStrength strength_value(const std::string& option, const std::string& text) {
    const std::string wanted = "X or X:FIRST-LAST with X from 0 to 1.5 and steps from 1 to 1000";
    const std::string_view view = text;
    const auto colon = view.find(':');
    IdentityStrength strength;
    if (!reads_whole(view.substr(0, colon), strength.value) ||
        !(strength.value >= 0 && strength.value <= limits::kMaxIdentityStrength))
        refuse(option, text, wanted);
    if (colon == std::string_view::npos) return strength;
    const std::string_view range = view.substr(colon + 1);
    const auto dash = range.find('-');
    int last = 0;
    if (dash == std::string_view::npos || !reads_whole(range.substr(0, dash), strength.first_step) ||
        !reads_whole(range.substr(dash + 1), last) || strength.first_step < 1 || last < strength.first_step ||
        last > limits::kMaxSteps)
        refuse(option, text, wanted);
    strength.last_step = last;
    return strength;
}

std::uint64_t bytes_value(const std::string& option, const std::string& text) {
    struct Unit {
        std::string_view name;
        double bytes;
    };
    static constexpr std::array<Unit, 9> kUnits{{{"TiB", 1099511627776.0},
                                                 {"GiB", 1073741824.0},
                                                 {"MiB", 1048576.0},
                                                 {"KiB", 1024.0},
                                                 {"TB", 1e12},
                                                 {"GB", 1e9},
                                                 {"MB", 1e6},
                                                 {"KB", 1e3},
                                                 {"B", 1.0}}};
    std::string_view digits = text;
    double factor = 1;
    for (const Unit& unit : kUnits) {
        if (!digits.ends_with(unit.name)) continue;
        digits.remove_suffix(unit.name.size());
        factor = unit.bytes;
        break;
    }
    double value = 0;
    const bool read = reads_whole(digits, value);
    const double bytes = value * factor;
    if (!read || !std::isfinite(bytes) || bytes < 1 || bytes > 1e18)
        refuse(option, text, "an amount of memory such as 8GiB");
    return static_cast<std::uint64_t>(bytes);
}

std::string device_value(const std::string& option, const std::string& text) {
    if (text == "cpu" || text == "cuda") return text;
    int index = 0;
    const std::string_view view = text;
    if (!view.starts_with("cuda:") || !reads_whole(view.substr(5), index) || index < 0 || index > 127)
        refuse(option, text, "cpu, cuda or cuda:N");
    return text;
}

std::string utf8_value(const std::string& option, const std::string& text) {
    if (!is_utf8(text)) throw UsageError(option + " is not valid UTF-8");
    return text;
}

}  // namespace mirror::cli
