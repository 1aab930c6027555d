#include "engine/weights/config_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/weights/mapped_file.h"

namespace mirror::engine {
namespace {

using formats::JsonValue;

std::string number_text(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%g", value);
    return text.data();
}

std::string range_text(std::int64_t min, std::int64_t max) {
    const bool unbounded = max == std::numeric_limits<std::int64_t>::max();
    return unbounded ? "of at least " + std::to_string(min)
                     : "from " + std::to_string(min) + " to " + std::to_string(max);
}

}  // namespace

ConfigReader::ConfigReader(std::shared_ptr<const JsonValue> root, const JsonValue* object, std::string origin,
                           std::string prefix)
    : root_(std::move(root)), object_(object), origin_(std::move(origin)), prefix_(std::move(prefix)) {}

ConfigReader ConfigReader::open(const std::filesystem::path& file) {
    return parse(value_or_throw(read_whole_file(file, limits::kConfigBytes)), path_for_message(file));
}

ConfigReader ConfigReader::parse(const std::string& json, const std::string& origin) {
    auto root = std::make_shared<const JsonValue>(value_or_throw(formats::parse_json(json, origin)));
    if (!root->is_object())
        throw EngineError(ErrorCode::MalformedFile, escape_for_message(origin) + " is not a JSON object.");
    const JsonValue* object = root.get();
    return {std::move(root), object, escape_for_message(origin), ""};
}

const JsonValue* ConfigReader::find(std::string_view key) const {
    const JsonValue* found = object_->find(key);
    return found != nullptr && !found->is_null() ? found : nullptr;
}

bool ConfigReader::has(std::string_view key) const { return find(key) != nullptr; }

std::vector<std::string> ConfigReader::keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, value] : *object_->as_object()) keys.push_back(key);
    return keys;
}

std::string ConfigReader::full_key(std::string_view key) const { return prefix_ + std::string(key); }

void ConfigReader::refuse(std::string_view key, const std::string& what) const {
    throw EngineError(ErrorCode::MalformedFile, origin_ + ": " + escape_for_message(full_key(key)) + " " + what + ".");
}

const JsonValue& ConfigReader::value(std::string_view key) const {
    const JsonValue* found = find(key);
    if (found == nullptr) refuse(key, "is missing");
    return *found;
}

std::int64_t ConfigReader::integer(std::string_view key, std::int64_t min, std::int64_t max) const {
    const JsonValue& found = value(key);
    const auto number = found.as_integer();
    if (!number && !found.is_integer()) refuse(key, std::string("must be an integer, not ") + found.kind_name());
    if (!number || *number < min || *number > max) refuse(key, "must be an integer " + range_text(min, max));
    return *number;
}

std::int64_t ConfigReader::integer_or(std::string_view key, std::int64_t fallback, std::int64_t min,
                                      std::int64_t max) const {
    return has(key) ? integer(key, min, max) : fallback;
}

double ConfigReader::number(std::string_view key, double min, double max) const {
    const JsonValue& found = value(key);
    const auto number = found.as_number();
    if (!number) refuse(key, std::string("must be a number, not ") + found.kind_name());
    if (!std::isfinite(*number) || *number < min || *number > max) {
        refuse(key, "must be a number from " + number_text(min) + " to " + number_text(max) + ", not " +
                        number_text(*number));
    }
    return *number;
}

double ConfigReader::number_or(std::string_view key, double fallback, double min, double max) const {
    return has(key) ? number(key, min, max) : fallback;
}

bool ConfigReader::boolean(std::string_view key) const {
    const JsonValue& found = value(key);
    if (found.as_bool() == nullptr) refuse(key, std::string("must be true or false, not ") + found.kind_name());
    return *found.as_bool();
}

bool ConfigReader::boolean_or(std::string_view key, bool fallback) const { return has(key) ? boolean(key) : fallback; }

std::string ConfigReader::text(std::string_view key) const {
    const JsonValue& found = value(key);
    if (found.as_string() == nullptr) refuse(key, std::string("must be a string, not ") + found.kind_name());
    return *found.as_string();
}

std::string ConfigReader::text_or(std::string_view key, const std::string& fallback) const {
    return has(key) ? text(key) : fallback;
}

std::string ConfigReader::choice(std::string_view key, std::initializer_list<std::string_view> words) const {
    std::string word = text(key);
    if (std::find(words.begin(), words.end(), word) != words.end()) return word;
    std::string list;
    for (const auto each : words) list += (list.empty() ? "" : ", ") + std::string(each);
    refuse(key, "must be one of " + list + ", not " + escape_for_message(word, 48));
}

std::vector<std::int64_t> ConfigReader::integers(std::string_view key, std::int64_t min, std::int64_t max) const {
    const JsonValue& found = value(key);
    if (found.as_array() == nullptr) refuse(key, std::string("must be a list of integers, not ") + found.kind_name());
    std::vector<std::int64_t> numbers;
    for (const auto& element : *found.as_array()) {
        const auto number = element.as_integer();
        if (!number || *number < min || *number > max)
            refuse(key, "must be a list of integers " + range_text(min, max));
        numbers.push_back(*number);
    }
    return numbers;
}

std::vector<double> ConfigReader::numbers(std::string_view key, double min, double max) const {
    const JsonValue& found = value(key);
    if (found.as_array() == nullptr) refuse(key, std::string("must be a list of numbers, not ") + found.kind_name());
    std::vector<double> numbers;
    for (const auto& element : *found.as_array()) {
        const auto number = element.as_number();
        if (!number || *number < min || *number > max) {
            refuse(key, "must be a list of numbers from " + number_text(min) + " to " + number_text(max));
        }
        numbers.push_back(*number);
    }
    return numbers;
}

std::vector<std::string> ConfigReader::texts(std::string_view key) const {
    const JsonValue& found = value(key);
    if (found.as_array() == nullptr) refuse(key, std::string("must be a list of strings, not ") + found.kind_name());
    std::vector<std::string> texts;
    for (const auto& element : *found.as_array()) {
        if (element.as_string() == nullptr) refuse(key, "must be a list of strings");
        texts.push_back(*element.as_string());
    }
    return texts;
}

ConfigReader ConfigReader::object(std::string_view key) const {
    const JsonValue& found = value(key);
    if (!found.is_object()) refuse(key, std::string("must be an object, not ") + found.kind_name());
    return {root_, &found, origin_, full_key(key) + "."};
}

std::vector<ConfigReader> ConfigReader::objects(std::string_view key) const {
    const JsonValue& found = value(key);
    if (found.as_array() == nullptr) refuse(key, std::string("must be a list of objects, not ") + found.kind_name());
    std::vector<ConfigReader> readers;
    for (const JsonValue& element : *found.as_array()) {
        const std::string place = full_key(key) + "[" + std::to_string(readers.size()) + "]";
        if (!element.is_object())
            refuse(key, std::string("must be a list of objects, but holds ") + element.kind_name());
        readers.push_back(ConfigReader(root_, &element, origin_, place + "."));
    }
    return readers;
}

void ConfigReader::refuse_unknown(std::initializer_list<std::string_view> known) const {
    for (const auto& [key, value] : *object_->as_object()) {
        if (std::find(known.begin(), known.end(), key) == known.end()) refuse(key, "is unknown");
    }
}

}  // namespace mirror::engine
