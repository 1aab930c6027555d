#pragma once

// Typed, range-checked reading of a config.json. Every failure is an EngineError (MalformedFile, MissingFile) that
// names the file and the key. Unknown keys are ignored unless refuse_unknown() is asked.

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/formats/json.h"

namespace mirror::engine {

// A JSON object of a config file. Cheap to copy; copies share the parsed text.
class ConfigReader {
public:
    static ConfigReader open(const std::filesystem::path& file);
    // `origin` is what messages call the text: a file name, or "config of adapter.safetensors".
    static ConfigReader parse(const std::string& json, const std::string& origin);

    bool has(std::string_view key) const;  // Present and not null.
    std::vector<std::string> keys() const;

    std::int64_t integer(std::string_view key, std::int64_t min, std::int64_t max) const;
    std::int64_t integer_or(std::string_view key, std::int64_t fallback, std::int64_t min, std::int64_t max) const;
    double number(std::string_view key, double min, double max) const;
    double number_or(std::string_view key, double fallback, double min, double max) const;
    bool boolean(std::string_view key) const;
    bool boolean_or(std::string_view key, bool fallback) const;
    std::string text(std::string_view key) const;
    std::string text_or(std::string_view key, const std::string& fallback) const;
    // One of the listed words; the message lists them.
    std::string choice(std::string_view key, std::initializer_list<std::string_view> words) const;
    std::vector<std::int64_t> integers(std::string_view key, std::int64_t min, std::int64_t max) const;
    std::vector<double> numbers(std::string_view key, double min, double max) const;
    std::vector<std::string> texts(std::string_view key) const;
    ConfigReader object(std::string_view key) const;
    std::vector<ConfigReader> objects(std::string_view key) const;  // A list of objects.

    // The raw value, for a key whose kind varies; missing or null is refused.
    const formats::JsonValue& value(std::string_view key) const;

    void refuse_unknown(std::initializer_list<std::string_view> known) const;
    // Throws "<origin>: <key> <what>", for checks that the caller makes itself.
    [[noreturn]] void refuse(std::string_view key, const std::string& what) const;

    const std::string& origin() const { return origin_; }
    std::string full_key(std::string_view key) const;  // "switches.face_scale"

private:
    ConfigReader(std::shared_ptr<const formats::JsonValue> root, const formats::JsonValue* object, std::string origin,
                 std::string prefix);
    const formats::JsonValue* find(std::string_view key) const;  // Null if missing or null.

    std::shared_ptr<const formats::JsonValue> root_;
    const formats::JsonValue* object_;  // Inside root_.
    std::string origin_;
    std::string prefix_;  // Ends with '.' unless empty.
};

}  // namespace mirror::engine
