#include "engine/identity/magic_mirror/json_numbers.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace mirror::engine::magic_mirror {

namespace {

bool begins_number(char c) { return c == '-' || (c >= '0' && c <= '9'); }

bool continues_number(char c) { return begins_number(c) || c == '+' || c == '.' || c == 'e' || c == 'E'; }

template <typename T>
bool fits(std::string_view token, T& value) {
    return std::from_chars(token.data(), token.data() + token.size(), value).ec != std::errc::result_out_of_range;
}

std::string in_range(std::string_view token) {
    std::int64_t integer = 0;
    double real = 0;
    if (!fits(token, real)) return "null";
    const bool is_integer = token.find_first_of(".eE") == std::string_view::npos;
    if (!is_integer || fits(token, integer)) return std::string(token);
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), real, std::chars_format::scientific).ptr;
    return {text.data(), end};
}

std::size_t end_of_string(std::string_view json, std::size_t at) {
    for (++at; at < json.size() && json[at] != '"'; ++at) {
        if (json[at] == '\\') ++at;
    }
    return at < json.size() ? at + 1 : json.size();
}

}  // namespace

std::string with_numbers_in_range(std::string_view json) {
    std::string text;
    text.reserve(json.size());
    for (std::size_t at = 0; at < json.size();) {
        std::size_t end = at + 1;
        if (json[at] == '"') {
            end = end_of_string(json, at);
            text.append(json.substr(at, end - at));
        } else if (begins_number(json[at])) {
            while (end < json.size() && continues_number(json[end])) ++end;
            text.append(in_range(json.substr(at, end - at)));
        } else {
            text.push_back(json[at]);
        }
        at = end;
    }
    return text;
}

}  // namespace mirror::engine::magic_mirror
