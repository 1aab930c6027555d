#pragma once

// The tokenizer behind the JSON readers: walks over a text value by value without building a tree, so that a header
// with a million tensors costs no more than its tensors. Used inside engine/formats only; failures leave as
// JsonFailure.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace mirror::formats {

// Caught at the edge of engine/formats and turned into an Error. what() has no file name and no full stop.
class JsonFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Integers keep all 64 bits.
using JsonNumber = std::variant<std::int64_t, std::uint64_t, double>;

class JsonCursor {
public:
    explicit JsonCursor(std::string_view text);

    // The first byte of the next value, after white space: one of {["-0..9tfn, or anything else if it is malformed.
    char peek();

    std::string string();
    JsonNumber number();
    bool boolean();
    void null();
    // A number that is an integer >= 0 and fits into 64 bits. `what` names it in the failure.
    std::uint64_t unsigned_integer(std::string_view what);

    // Calls back with each key, standing at its value, which the callback must consume. Duplicates are the caller's
    // business.
    void object(const std::function<void(std::string&& key)>& member);
    // Calls back standing at each element.
    void array(const std::function<void()>& element);
    // Any value, checked and dropped, duplicate keys included.
    void skip();
    // Nothing but white space may follow.
    void end();

    std::size_t position() const { return at_; }
    [[noreturn]] void fail(const std::string& what) const;

private:
    void skip_space();
    void expect(char c);
    void word(std::string_view literal);
    void escape(std::string& value);
    char32_t hex4();
    void enter();
    void leave() { --depth_; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
};

// Throws JsonFailure: a key appears twice.
[[noreturn]] void refuse_duplicate(std::string_view key);

// The sentence of an error: "x.json is not valid JSON: the text ends too early (byte 3)." Cut so that it stays below
// 300 bytes whatever the file's name and the names inside it.
std::string refusal_sentence(std::string_view origin, std::string_view is_not, std::string_view what);

}  // namespace mirror::formats
