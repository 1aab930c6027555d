#pragma once

// A small strict JSON reader for untrusted bytes: duplicate keys, depth above 64, invalid UTF-8, byte order marks and
// lone surrogates are refused; integers of 64 bits stay exact. It does not write JSON beyond quoting a string.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/core/result.h"

namespace mirror::formats {

class JsonValue {
public:
    using Array = std::vector<JsonValue>;
    using Member = std::pair<std::string, JsonValue>;
    using Object = std::vector<Member>;  // In the order of the file; every key once.
    // An integer literal is std::int64_t if it fits, else std::uint64_t; beyond both it is refused.
    using Storage = std::variant<std::nullptr_t, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object>;

    JsonValue() = default;
    explicit JsonValue(Storage value) : value_(std::move(value)) {}

    bool is_null() const { return std::holds_alternative<std::nullptr_t>(value_); }
    bool is_integer() const;  // A literal without fraction and exponent.
    bool is_number() const;   // Any number.
    bool is_object() const { return as_object() != nullptr; }

    // Null if the value is of another kind. Integers beyond std::int64_t are only in as_unsigned().
    const bool* as_bool() const { return std::get_if<bool>(&value_); }
    const std::string* as_string() const { return std::get_if<std::string>(&value_); }
    const Array* as_array() const { return std::get_if<Array>(&value_); }
    const Object* as_object() const { return std::get_if<Object>(&value_); }
    std::optional<std::int64_t> as_integer() const;
    std::optional<std::uint64_t> as_unsigned() const;
    std::optional<double> as_number() const;  // Any number, rounded to double.

    // The member of an object; null if there is none or this is no object.
    const JsonValue* find(std::string_view key) const;
    const char* kind_name() const;  // "a string", for messages

private:
    Storage value_ = nullptr;
};

// The whole text must be one value. `origin` (a file name) begins the message of an error. The caller limits the size.
Result<JsonValue> parse_json(std::string_view text, std::string_view origin);

// `text` as a JSON string with its quotes; it must be UTF-8.
std::string json_quoted(std::string_view text);

}  // namespace mirror::formats
