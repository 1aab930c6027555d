#include "engine/core/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace mirror {
namespace {

// Of a path in a message: the ends of a long one say most.
constexpr std::size_t kLongestPath = 100;

// The scalar value at `at` and how many bytes it has; 0 bytes if they are not UTF-8 there.
struct Decoded {
    char32_t code_point = 0;
    std::size_t bytes = 0;
};

Decoded decode_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    const std::uint8_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() - at < bytes) return {};
    char32_t value = lead & (0x7f >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        value = (value << 6) | (byte(i) & 0x3f);
    }
    constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
    if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
    return {value, bytes};
}

struct Range {
    char32_t first, last;
};

// Unicode's control (Cc), format (Cf) and separator (Zl, Zp) characters, and variation selectors: what could hide,
// reorder or break a line. Source: UnicodeData.txt of Unicode 15.
constexpr std::array<Range, 20> kInvisible = {
    {{0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},     {0x600, 0x605},
     {0x61c, 0x61c},   {0x6dd, 0x6dd},   {0x70f, 0x70f},   {0x890, 0x891},     {0x8e2, 0x8e2},
     {0x115f, 0x1160}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
     {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}}};

bool is_invisible(char32_t code_point) {
    return std::any_of(kInvisible.begin(), kInvisible.end(),
                       [&](const Range& range) { return code_point >= range.first && code_point <= range.last; });
}

std::string escaped(char32_t code_point) {
    if (code_point == '\n') return "\\n";
    if (code_point == '\t') return "\\t";
    if (code_point == '\r') return "\\r";
    std::array<char, 16> text{};
    const char* format = code_point < 0x100 ? "\\x%02x" : code_point < 0x10000 ? "\\u%04x" : "\\U%08x";
    std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(code_point));
    return text.data();
}

std::string escape_all(std::string_view text) {
    std::string line;
    line.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Decoded next = decode_at(text, at);
        if (next.bytes == 0) {
            line += escaped(static_cast<std::uint8_t>(text[at]));
            ++at;
            continue;
        }
        if (is_invisible(next.code_point)) {
            line += escaped(next.code_point);
        } else {
            line += text.substr(at, next.bytes);
        }
        at += next.bytes;
    }
    return line;
}

bool continues_a_character(char byte) { return (static_cast<std::uint8_t>(byte) & 0xc0) == 0x80; }

}  // namespace

bool is_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Decoded next = decode_at(text, at);
        if (next.bytes == 0) return false;
        at += next.bytes;
    }
    return true;
}

void append_utf8(std::string& text, char32_t code_point) {
    const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f)); };
    if (code_point < 0x80) {
        text += static_cast<char>(code_point);
    } else if (code_point < 0x800) {
        text += static_cast<char>(0xc0 | (code_point >> 6));
        tail(0);
    } else if (code_point < 0x10000) {
        text += static_cast<char>(0xe0 | (code_point >> 12));
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xf0 | (code_point >> 18));
        tail(12);
        tail(6);
        tail(0);
    }
}

std::string escape_for_message(std::string_view text, std::size_t longest) {
    // Escaping only lengthens: beyond this the middle is cut away in any case.
    std::string line;
    if (text.size() > 8 * longest) {
        line = escape_all(text.substr(0, 4 * longest)) + escape_all(text.substr(text.size() - 4 * longest));
    } else {
        line = escape_all(text);
    }
    if (line.size() <= longest) return line;
    std::size_t head = longest / 2;
    std::size_t tail = line.size() - (longest - longest / 2);
    while (head > 0 && continues_a_character(line[head])) --head;
    while (tail < line.size() && continues_a_character(line[tail])) ++tail;
    return line.substr(0, head) + "..." + line.substr(tail);
}

std::string path_for_message(const std::filesystem::path& path) {
    return escape_for_message(path.native(), kLongestPath);
}

}  // namespace mirror
