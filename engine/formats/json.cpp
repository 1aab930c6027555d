#include "engine/formats/json.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

#include "engine/core/utf8.h"
#include "engine/formats/json_cursor.h"

namespace mirror::formats {
namespace {

void refuse_equal_keys(const JsonValue::Object& object) {
    std::vector<std::string_view> keys;
    keys.reserve(object.size());
    for (const auto& [key, value] : object) keys.push_back(key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end()) refuse_duplicate(*twice);
}

JsonValue read_value(JsonCursor& cursor);

JsonValue read_object(JsonCursor& cursor) {
    JsonValue::Object object;
    cursor.object([&](std::string&& key) { object.emplace_back(std::move(key), read_value(cursor)); });
    refuse_equal_keys(object);
    return JsonValue(JsonValue::Storage(std::move(object)));
}

JsonValue read_array(JsonCursor& cursor) {
    JsonValue::Array array;
    cursor.array([&] { array.push_back(read_value(cursor)); });
    return JsonValue(JsonValue::Storage(std::move(array)));
}

JsonValue read_value(JsonCursor& cursor) {
    switch (cursor.peek()) {
        case '{':
            return read_object(cursor);
        case '[':
            return read_array(cursor);
        case '"':
            return JsonValue(JsonValue::Storage(cursor.string()));
        case 't':
        case 'f':
            return JsonValue(JsonValue::Storage(cursor.boolean()));
        case 'n':
            cursor.null();
            return JsonValue();
        default:
            return JsonValue(std::visit([](auto number) { return JsonValue::Storage(number); }, cursor.number()));
    }
}

}  // namespace

bool JsonValue::is_integer() const {
    return std::holds_alternative<std::int64_t>(value_) || std::holds_alternative<std::uint64_t>(value_);
}

bool JsonValue::is_number() const { return is_integer() || std::holds_alternative<double>(value_); }

std::optional<std::int64_t> JsonValue::as_integer() const {
    if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
    return std::nullopt;
}

std::optional<std::uint64_t> JsonValue::as_unsigned() const {
    if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
    const auto* value = std::get_if<std::int64_t>(&value_);
    if (value != nullptr && *value >= 0) return static_cast<std::uint64_t>(*value);
    return std::nullopt;
}

std::optional<double> JsonValue::as_number() const {
    if (const auto* value = std::get_if<double>(&value_)) return *value;
    if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
    if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
    return std::nullopt;
}

const JsonValue* JsonValue::find(std::string_view key) const {
    const Object* object = as_object();
    if (object == nullptr) return nullptr;
    const auto at =
        std::find_if(object->begin(), object->end(), [&](const Member& member) { return member.first == key; });
    return at == object->end() ? nullptr : &at->second;
}

const char* JsonValue::kind_name() const {
    constexpr std::array<const char*, 8> names = {"null",     "a boolean", "an integer", "an integer",
                                                  "a number", "a string",  "a list",     "an object"};
    return names[value_.index()];
}

Result<JsonValue> parse_json(std::string_view text, std::string_view origin) {
    const auto refuse = [&](const std::string& what) {
        return Error{ErrorCode::MalformedFile, refusal_sentence(origin, "valid JSON", what)};
    };
    if (!is_utf8(text)) return refuse("it is not UTF-8");
    try {
        JsonCursor cursor(text);
        JsonValue value = read_value(cursor);
        cursor.end();
        return value;
    } catch (const JsonFailure& failure) {
        return refuse(failure.what());
    }
}

std::string json_quoted(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            std::array<char, 8> code{};
            std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(c));
            quoted += code.data();
        } else {
            quoted += c;
        }
    }
    return quoted + "\"";
}

}  // namespace mirror::formats
