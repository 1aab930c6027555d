#include "engine/core/request.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"

namespace mirror {
namespace {

using Json = nlohmann::json;  // Its objects are sorted by key.

constexpr int kVersion = 1;

[[noreturn]] void refuse(const std::string& what) {
    throw EngineError(ErrorCode::InvalidRequest, "The request is refused: " + what + ".");
}

// Names of files are bytes; those that are not UTF-8 are kept as {"hex": "..."}.
Json path_to_json(const std::filesystem::path& path) {
    const std::string& bytes = path.native();
    if (is_utf8(bytes)) return bytes;
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        hex += digits[static_cast<unsigned char>(c) >> 4];
        hex += digits[static_cast<unsigned char>(c) & 15];
    }
    return {{"hex", hex}};
}

int hex_digit(char c) {
    const auto at = std::string_view("0123456789abcdef").find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::filesystem::path path_from_hex(const std::string& hex, const std::string& name) {
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        const int high = hex_digit(hex[i]);
        const int low = i + 1 < hex.size() ? hex_digit(hex[i + 1]) : -1;
        if (high < 0 || low < 0) refuse(name + " is not hexadecimal");
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

// Reads the members of one object by name; what is absent keeps its default.
class Reader {
public:
    Reader(const Json& object, std::string prefix, std::initializer_list<const char*> known)
        : object_(object), prefix_(std::move(prefix)) {
        if (!object.is_object())
            refuse((prefix_.empty() ? "it" : prefix_.substr(0, prefix_.size() - 1)) + " is not an object");
        for (const auto& [key, value] : object.items()) {
            const bool is_known =
                std::any_of(known.begin(), known.end(), [&, k = key](const char* name) { return k == name; });
            if (!is_known) refuse("unknown key " + escape_for_message(prefix_ + key));
        }
    }

    // The member, unless it is absent. Null counts as a value of wrong kind; optional numbers ask has_value first.
    const Json* find(const char* key) const {
        const auto at = object_.find(key);
        return at == object_.end() ? nullptr : &*at;
    }

    void read(const char* key, std::string& value) const {
        if (const Json* found = find(key)) value = string(*found, key);
    }

    void read(const char* key, int& value) const {
        const Json* found = find(key);
        if (found == nullptr) return;
        const bool fits = found->is_number_integer() && *found >= std::numeric_limits<int>::min() &&
                          *found <= std::numeric_limits<int>::max();
        if (!fits) refuse(prefix_ + key + " is not an integer in range");
        value = found->get<int>();
    }

    void read(const char* key, std::optional<int>& value) const {
        const Json* found = find(key);
        if (found == nullptr) return;
        value.reset();
        if (!found->is_null()) read(key, value.emplace());
    }

    void read(const char* key, std::uint64_t& value) const {
        const Json* found = find(key);
        if (found == nullptr) return;
        if (!found->is_number_unsigned()) refuse(prefix_ + key + " is not an integer from 0 to 2^64-1");
        value = found->get<std::uint64_t>();
    }

    void read(const char* key, double& value) const {
        const Json* found = find(key);
        if (found == nullptr) return;
        if (!found->is_number()) refuse(prefix_ + key + " is not a number");
        value = found->get<double>();
    }

    void read(const char* key, std::filesystem::path& value) const {
        const Json* found = find(key);
        if (found == nullptr) return;
        if (found->is_object()) {
            std::string hex;
            Reader(*found, prefix_ + key + ".", {"hex"}).read("hex", hex);
            value = path_from_hex(hex, prefix_ + key);
        } else {
            value = string(*found, key);
        }
    }

    // One of an enumeration's words.
    template <typename Enum>
    void read_word(const char* key, Enum& value, std::initializer_list<Enum> all) const {
        const Json* found = find(key);
        if (found == nullptr) return;
        const std::string word = string(*found, key);
        const auto same = std::find_if(all.begin(), all.end(), [&](Enum each) { return word == to_text(each); });
        if (same == all.end()) refuse(prefix_ + key + " cannot be " + escape_for_message(word));
        value = *same;
    }

private:
    std::string string(const Json& value, const char* key) const {
        if (!value.is_string()) refuse(prefix_ + key + " is not a string");
        return value.get<std::string>();
    }

    const Json& object_;
    std::string prefix_;
};

void read_prompt(const Json& json, Prompt& prompt) {
    const Reader reader(json, "prompt.", {"positive", "negative"});
    reader.read("positive", prompt.positive);
    reader.read("negative", prompt.negative);
}

void read_video(const Json& json, VideoSpec& video) {
    const Reader reader(json, "video.", {"width", "height", "frames", "rate"});
    reader.read("width", video.width);
    reader.read("height", video.height);
    reader.read("frames", video.frames);
    if (const Json* rate = reader.find("rate")) {
        const Reader parts(*rate, "video.rate.", {"numerator", "denominator"});
        parts.read("numerator", video.rate.numerator);
        parts.read("denominator", video.rate.denominator);
    }
}

void read_sampling(const Json& json, SamplingSpec& sampling) {
    const Reader reader(json, "sampling.", {"sampler", "steps", "guidance", "dynamic_guidance", "seed"});
    reader.read_word("sampler", sampling.sampler, {SamplerKind::Ddim, SamplerKind::Dpm});
    reader.read("steps", sampling.steps);
    reader.read("guidance", sampling.guidance);
    reader.read_word("dynamic_guidance", sampling.dynamic_guidance,
                     {DynamicGuidance::Off, DynamicGuidance::Timestep, DynamicGuidance::Step});
    reader.read("seed", sampling.seed);
}

void read_identity(const Json& json, IdentityStrength& identity) {
    const Reader reader(json, "identity.", {"value", "first_step", "last_step"});
    reader.read("value", identity.value);
    reader.read("first_step", identity.first_step);
    reader.read("last_step", identity.last_step);
}

void read_references(const Json& json, std::vector<ReferencePhoto>& references) {
    if (!json.is_array()) refuse("references is not a list");
    for (std::size_t i = 0; i < json.size(); ++i) {
        const Reader reader(json[i], "references[" + std::to_string(i) + "].", {"file", "face"});
        auto& photo = references.emplace_back();
        reader.read("file", photo.file);
        reader.read("face", photo.face);
    }
}

GenerationRequest read_request(const Json& json) {
    GenerationRequest request;
    const Reader reader(json, "",
                        {"version", "kind", "model", "adapter", "method", "prompt", "video", "sampling", "references",
                         "identity", "device", "precision", "decoding", "memory_budget"});
    int version = 0;
    reader.read("version", version);
    if (version != kVersion) refuse("version must be 1");
    reader.read_word("kind", request.kind, {OutputKind::Video, OutputKind::Image});
    reader.read("model", request.model);
    reader.read("adapter", request.adapter);
    reader.read_word("method", request.method, {Method::None, Method::MagicMirror});
    if (const Json* prompt = reader.find("prompt")) read_prompt(*prompt, request.prompt);
    if (const Json* video = reader.find("video")) read_video(*video, request.video);
    if (const Json* sampling = reader.find("sampling")) read_sampling(*sampling, request.sampling);
    if (const Json* references = reader.find("references")) read_references(*references, request.references);
    if (const Json* identity = reader.find("identity")) read_identity(*identity, request.identity);
    reader.read("device", request.device);
    reader.read_word("precision", request.precision, {Precision::Fp32, Precision::Bf16});
    reader.read_word("decoding", request.decoding, {Decoding::Whole, Decoding::Tiles});
    reader.read("memory_budget", request.memory_budget);
    return request;
}

// nlohmann::json keeps the last of equal keys silently, and sets no limit to the depth.
Json parse_strictly(const std::string& text) {
    if (text.size() > limits::kConfigBytes) refuse("it is larger than 4 MiB");
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > static_cast<int>(limits::kJsonDepth)) refuse("it is nested too deeply");
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
            refuse("the key " + escape_for_message(parsed.get<std::string>()) + " appears twice");
        }
        return true;
    };
    try {
        return Json::parse(text, watch);
    } catch (const Json::parse_error& error) {
        refuse("it is not JSON (byte " + std::to_string(error.byte) + ")");
    } catch (const Json::exception&) {
        refuse("it holds a number out of range");
    }
}

}  // namespace

std::string request_to_json(const GenerationRequest& request) {
    const auto optional = [](const std::optional<int>& value) { return value ? Json(*value) : Json(nullptr); };
    Json references = Json::array();
    for (const auto& photo : request.references) {
        references.push_back({{"face", optional(photo.face)}, {"file", path_to_json(photo.file)}});
    }
    const VideoSpec& video = request.video;
    const SamplingSpec& sampling = request.sampling;
    const IdentityStrength& identity = request.identity;
    const Json json = {
        {"version", kVersion},
        {"kind", to_text(request.kind)},
        {"model", path_to_json(request.model)},
        {"adapter", path_to_json(request.adapter)},
        {"method", to_text(request.method)},
        {"prompt", {{"positive", request.prompt.positive}, {"negative", request.prompt.negative}}},
        {"video",
         {{"width", video.width},
          {"height", video.height},
          {"frames", video.frames},
          {"rate", {{"numerator", video.rate.numerator}, {"denominator", video.rate.denominator}}}}},
        {"sampling",
         {{"sampler", to_text(sampling.sampler)},
          {"steps", sampling.steps},
          {"guidance", sampling.guidance},
          {"dynamic_guidance", to_text(sampling.dynamic_guidance)},
          {"seed", sampling.seed}}},
        {"references", references},
        {"identity",
         {{"value", identity.value}, {"first_step", identity.first_step}, {"last_step", optional(identity.last_step)}}},
        {"device", request.device},
        {"precision", to_text(request.precision)},
        {"decoding", to_text(request.decoding)},
        {"memory_budget", request.memory_budget},
    };
    // A prompt that is not UTF-8 is refused by check_request; here it must only not throw.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<GenerationRequest> request_from_json(const std::string& text) {
    try {
        GenerationRequest request = read_request(parse_strictly(text));
        if (Status status = check_request(request); !status) return status.error();
        return request;
    } catch (const EngineError& error) {
        return error.error();
    }
}

}  // namespace mirror
