#include "engine/training/material_captions.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/identity/magic_mirror/trigger.h"

namespace mirror::engine::training {

namespace fs = std::filesystem;

namespace {

// What captions of pictures with writing in them say.
constexpr std::array<std::string_view, 12> kWriting{"text",    "texts",     "caption",  "captions",
                                                    "logo",    "watermark", "subtitle", "subtitles",
                                                    "letters", "words",     "title",    "sign reading"};

std::optional<std::string> text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return std::nullopt;
    std::ostringstream text;
    text << stream.rdbuf();
    return std::move(text).str();
}

std::string trimmed(const std::string& text) {
    const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
    const auto begin = std::find_if_not(text.begin(), text.end(), is_space);
    const auto end = std::find_if_not(text.rbegin(), std::make_reverse_iterator(begin), is_space).base();
    return {begin, end};
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool has_word(const std::string& text, std::string_view word) {
    const auto is_letter = [&](std::size_t i) {
        return i < text.size() && std::isalnum(static_cast<unsigned char>(text[i]));
    };
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + word.size())) return true;
    }
    return false;
}

// One line of comma-separated values, which may go on over line ends inside quotes.
std::vector<std::string> csv_row(std::istream& stream) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (int c = stream.get(); c != EOF; c = stream.get()) {
        if (quoted && c == '"' && stream.peek() == '"') {
            cells.back() += static_cast<char>(stream.get());
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && !quoted) {
            cells.emplace_back();
        } else if (c == '\n' && !quoted) {
            break;
        } else if (c != '\r' || quoted) {
            cells.back() += static_cast<char>(c);
        }
    }
    return cells;
}

Error refusal(const fs::path& file, const std::string& what) {
    return {ErrorCode::MalformedFile, "The captions " + path_for_message(file) + " " + what + "."};
}

Status read_json(const fs::path& file, const std::string& text, std::map<std::string, std::string>& known) {
    const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object()) return refusal(file, "are not a JSON object of file names and texts");
    for (const auto& [name, caption] : json.items()) {
        if (!caption.is_string()) return refusal(file, "have no text for " + escape_for_message(name, 64));
        known[name] = trimmed(caption.get<std::string>());
    }
    return success();
}

Status read_csv(const fs::path& file, const std::string& text, std::map<std::string, std::string>& known) {
    std::istringstream stream(text);
    csv_row(stream);  // The heading.
    while (stream.peek() != EOF) {
        const std::vector<std::string> cells = csv_row(stream);
        if (cells.size() == 1 && trimmed(cells[0]).empty()) continue;
        if (cells.size() != 2)
            return refusal(file, "have a line with " + std::to_string(cells.size()) + " values instead of 2, at " +
                                     escape_for_message(cells[0], 64));
        known[trimmed(cells[0])] = trimmed(cells[1]);
    }
    return success();
}

}  // namespace

Result<MaterialCaptions> MaterialCaptions::open(const fs::path& folder) {
    MaterialCaptions captions;
    captions.folder_ = folder;
    for (const char* name : {"captions.json", "captions.csv"}) {
        const std::optional<std::string> text = text_of(folder / name);
        if (!text) continue;
        const bool is_json = std::string_view(name).ends_with("json");
        const Status read = is_json ? read_json(folder / name, *text, captions.known_)
                                    : read_csv(folder / name, *text, captions.known_);
        if (!read) return read.error();
    }
    return captions;
}

std::optional<std::string> MaterialCaptions::of(const fs::path& file) const {
    fs::path beside = file;
    if (const auto text = text_of(beside.replace_extension(".txt"))) return trimmed(*text);
    const auto found = known_.find(file.lexically_relative(folder_).generic_string());
    return found == known_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> caption_objection(const std::string& caption, const std::string& trigger) {
    if (caption.empty()) return "its caption is empty";
    const auto parsed = magic_mirror::parse_trigger(caption, trigger);
    if (!parsed) return "its caption breaks a rule of prompts: " + parsed.error().detail;
    if (!parsed.value().has_class_word()) return "its caption names no person (man, woman, girl ...)";
    const std::string text = lower(caption);
    for (const std::string_view word : kWriting) {
        if (has_word(text, word)) return "its caption speaks of writing in the picture (" + std::string(word) + ")";
    }
    return {};
}

std::string with_trigger(const std::string& caption, const std::string& trigger) {
    const auto parsed = magic_mirror::parse_trigger(caption, trigger);
    if (!parsed || !parsed.value().has_class_word()) return caption;
    std::string text = parsed.value().cleaned;
    return text.insert(parsed.value().class_end, " " + trigger);
}

std::string without_trigger(const std::string& caption, const std::string& trigger) {
    const auto parsed = magic_mirror::parse_trigger(caption, trigger);
    return parsed ? parsed.value().cleaned : caption;
}

}  // namespace mirror::engine::training
