#include "engine/formats/json_cursor.h"

#include <charconv>
#include <cstdint>
#include <set>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"

namespace mirror::formats {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// How long the number literal at the start of `text` is by JSON's grammar; 0 if it is none.
std::size_t number_length(std::string_view text, bool& is_integer) {
    std::size_t at = 0;
    const auto digits = [&] {
        const std::size_t first = at;
        while (at < text.size() && is_digit(text[at])) ++at;
        return at - first;
    };
    if (at < text.size() && text[at] == '-') ++at;
    const bool leading_zero = at < text.size() && text[at] == '0';
    const std::size_t whole = digits();
    if (whole == 0 || (leading_zero && whole > 1)) return 0;
    is_integer = true;
    if (at < text.size() && text[at] == '.') {
        is_integer = false;
        ++at;
        if (digits() == 0) return 0;
    }
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        is_integer = false;
        ++at;
        if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
        if (digits() == 0) return 0;
    }
    return at;
}

}  // namespace

JsonCursor::JsonCursor(std::string_view text) : text_(text) {
    if (text.starts_with("\xef\xbb\xbf")) fail("a byte order mark, which JSON forbids");
}

void JsonCursor::fail(const std::string& what) const {
    throw JsonFailure(what + " (byte " + std::to_string(at_) + ")");
}

void JsonCursor::skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
        ++at_;
}

char JsonCursor::peek() {
    skip_space();
    if (at_ == text_.size()) fail("the text ends too early");
    return text_[at_];
}

void JsonCursor::expect(char c) {
    if (peek() != c) fail(std::string("expected '") + c + "'");
    ++at_;
}

void JsonCursor::word(std::string_view literal) {
    skip_space();
    if (text_.substr(at_, literal.size()) != literal) fail("an unknown word");
    at_ += literal.size();
}

void JsonCursor::enter() {
    if (++depth_ > limits::kJsonDepth) fail("it is nested deeper than 64 levels");
}

void JsonCursor::end() {
    skip_space();
    if (at_ != text_.size()) fail("something follows the value");
}

char32_t JsonCursor::hex4() {
    std::uint32_t value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [last, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || problem != std::errc() || last != digits.data() + 4) fail("a wrong \\u escape");
    at_ += 4;
    return value;
}

void JsonCursor::escape(std::string& value) {
    if (at_ == text_.size()) fail("the text ends in a string");
    const char kind = text_[at_++];
    switch (kind) {
        case '"':
        case '\\':
        case '/':
            value += kind;
            return;
        case 'b':
            value += '\b';
            return;
        case 'f':
            value += '\f';
            return;
        case 'n':
            value += '\n';
            return;
        case 'r':
            value += '\r';
            return;
        case 't':
            value += '\t';
            return;
        case 'u':
            break;
        default:
            fail("an unknown escape in a string");
    }
    char32_t code_point = hex4();
    if (code_point >= 0xd800 && code_point < 0xdc00 && text_.substr(at_, 2) == "\\u") {
        at_ += 2;
        const char32_t low = hex4();
        if (low < 0xdc00 || low > 0xdfff) fail("half a surrogate pair");
        code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
    } else if (code_point >= 0xd800 && code_point <= 0xdfff) {
        fail("half a surrogate pair");
    }
    append_utf8(value, code_point);
}

std::string JsonCursor::string() {
    if (peek() != '"') fail("expected a string");
    ++at_;
    std::string value;
    for (;;) {
        std::size_t plain = at_;
        while (plain < text_.size() && text_[plain] != '"' && text_[plain] != '\\' &&
               static_cast<unsigned char>(text_[plain]) >= 0x20) {
            ++plain;
        }
        value += text_.substr(at_, plain - at_);
        at_ = plain;
        if (at_ == text_.size()) fail("the text ends in a string");
        const char c = text_[at_++];
        if (c == '"') return value;
        if (c != '\\') fail("a control character in a string");
        escape(value);
    }
}

JsonNumber JsonCursor::number() {
    skip_space();
    bool is_integer = false;
    const std::size_t length = number_length(text_.substr(at_), is_integer);
    if (length == 0) fail("a malformed number");
    const char* first = text_.data() + at_;
    const char* last = first + length;
    const auto read = [&](auto value) {
        const bool fits = std::from_chars(first, last, value).ec == std::errc();
        return fits ? std::optional<JsonNumber>(value) : std::nullopt;
    };
    std::optional<JsonNumber> value;
    if (is_integer) {
        value = read(std::int64_t{});
        if (!value && *first != '-') value = read(std::uint64_t{});
    } else {
        value = read(double{});
    }
    if (!value) fail("a number out of range");
    at_ += length;
    return *value;
}

std::uint64_t JsonCursor::unsigned_integer(std::string_view what) {
    const char first = peek();
    if (first != '-' && !is_digit(first)) fail(std::string(what) + " is not an integer");
    const JsonNumber value = number();
    if (const auto* large = std::get_if<std::uint64_t>(&value)) return *large;
    const auto* small = std::get_if<std::int64_t>(&value);
    if (small == nullptr) fail(std::string(what) + " is not an integer");
    if (*small < 0) fail(std::string(what) + " is negative");
    return static_cast<std::uint64_t>(*small);
}

bool JsonCursor::boolean() {
    const bool value = peek() == 't';
    word(value ? "true" : "false");
    return value;
}

void JsonCursor::null() { word("null"); }

void JsonCursor::object(const std::function<void(std::string&& key)>& member) {
    expect('{');
    enter();
    if (peek() == '}') {
        ++at_;
        leave();
        return;
    }
    for (;;) {
        std::string key = string();
        expect(':');
        member(std::move(key));
        if (peek() == '}') break;
        expect(',');
    }
    ++at_;
    leave();
}

void JsonCursor::array(const std::function<void()>& element) {
    expect('[');
    enter();
    if (peek() == ']') {
        ++at_;
        leave();
        return;
    }
    for (;;) {
        element();
        if (peek() == ']') break;
        expect(',');
    }
    ++at_;
    leave();
}

void JsonCursor::skip() {
    switch (peek()) {
        case '{': {
            std::set<std::string, std::less<>> keys;
            object([&](std::string&& key) {
                if (keys.contains(key)) refuse_duplicate(key);
                keys.insert(std::move(key));
                skip();
            });
            return;
        }
        case '[':
            array([&] { skip(); });
            return;
        case '"':
            (void)string();
            return;
        case 't':
        case 'f':
            (void)boolean();
            return;
        case 'n':
            null();
            return;
        default:
            (void)number();
            return;
    }
}

void refuse_duplicate(std::string_view key) {
    throw JsonFailure("the key " + escape_for_message(key) + " appears twice");
}

std::string refusal_sentence(std::string_view origin, std::string_view is_not, std::string_view what) {
    constexpr std::size_t kLongestReason = 150;
    std::string sentence = escape_for_message(origin);
    sentence.append(" is not ")
        .append(is_not)
        .append(": ")
        .append(escape_for_message(what, kLongestReason))
        .append(".");
    return sentence;
}

}  // namespace mirror::formats
