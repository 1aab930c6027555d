#include "engine/identity/magic_mirror/switch_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "engine/formats/json.h"

namespace mirror::engine::magic_mirror {

namespace {

// A width or step above this is a typing error, not a wish.
constexpr std::int64_t kLargestInteger = 1 << 20;

template <auto kMember>
using FieldOf = std::remove_reference_t<decltype(std::declval<Switches&>().*kMember)>;

template <auto kMember>
bool set_word(const SwitchSpec& spec, Switches& switches, const SwitchValue& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return false;
    const auto found = std::find(spec.words.begin(), spec.words.end(), *text);
    if (found == spec.words.end()) return false;
    const auto index = found - spec.words.begin();
    if constexpr (std::is_same_v<FieldOf<kMember>, bool>) {
        switches.*kMember = index == 0;
    } else {
        switches.*kMember = static_cast<FieldOf<kMember>>(index);
    }
    return true;
}

template <auto kMember>
std::string word_json(const SwitchSpec& spec, const Switches& switches) {
    std::size_t index = 0;
    if constexpr (std::is_same_v<FieldOf<kMember>, bool>) {
        index = switches.*kMember ? 0 : 1;
    } else {
        index = static_cast<std::size_t>(switches.*kMember);
    }
    return formats::json_quoted(spec.words[index]);
}

template <auto kMember>
SwitchSpec on_off(std::string_view name) {
    return {name, SwitchKind::Word, {"on", "off"}, {}, set_word<kMember>, word_json<kMember>};
}

template <auto kMember>
SwitchSpec word(std::string_view name, std::vector<std::string_view> words) {
    return {name, SwitchKind::Word, std::move(words), {}, set_word<kMember>, word_json<kMember>};
}

template <auto kMember, std::int64_t kLowest, std::int64_t kHighest>
SwitchSpec integer(std::string_view name, std::string_view range) {
    const auto set = [](const SwitchSpec&, Switches& switches, const SwitchValue& value) {
        const auto* given = std::get_if<std::int64_t>(&value);
        if (given == nullptr || *given < kLowest || *given > kHighest) return false;
        switches.*kMember = *given;
        return true;
    };
    const auto json = [](const SwitchSpec&, const Switches& switches) { return std::to_string(switches.*kMember); };
    return {name, SwitchKind::Integer, {}, range, set, json};
}

enum class Sign { Any, NotNegative };

template <auto kMember, Sign kSign>
SwitchSpec number(std::string_view name, std::string_view range) {
    const auto set = [](const SwitchSpec&, Switches& switches, const SwitchValue& value) {
        double given = 0;
        if (const auto* whole = std::get_if<std::int64_t>(&value)) {
            given = static_cast<double>(*whole);
        } else if (const auto* real = std::get_if<double>(&value)) {
            given = *real;
        } else {
            return false;
        }
        if (!std::isfinite(given) || (kSign == Sign::NotNegative && given < 0)) return false;
        switches.*kMember = given;
        return true;
    };
    const auto json = [](const SwitchSpec&, const Switches& switches) {
        std::array<char, 32> text{};
        const auto end = std::to_chars(text.data(), text.data() + text.size(), switches.*kMember).ptr;
        return std::string(text.data(), end);
    };
    return {name, SwitchKind::Number, {}, range, set, json};
}

SwitchSpec trigger_word() {
    const auto set = [](const SwitchSpec&, Switches& switches, const SwitchValue& value) {
        const auto* text = std::get_if<std::string>(&value);
        if (text == nullptr || text->empty()) return false;
        switches.trigger_word = *text;
        return true;
    };
    const auto json = [](const SwitchSpec&, const Switches& switches) {
        return formats::json_quoted(switches.trigger_word);
    };
    return {"trigger_word", SwitchKind::Text, {}, "a non-empty string", set, json};
}

std::vector<SwitchSpec> make_table() {
    using S = Switches;
    return {
        word<&S::adapter_layers>("adapter_layers", {"even", "all"}),
        word<&S::ca_init>("ca_init", {"copy_zero", "copy", "xavier"}),
        word<&S::ca_input>("ca_input", {"modulated", "raw"}),
        word<&S::ca_key_norm>("ca_key_norm", {"base", "own", "none"}),
        word<&S::ca_merge>("ca_merge", {"pre_out", "post_out"}),
        word<&S::ca_query>("ca_query", {"pre_rope", "post_rope"}),
        word<&S::ca_targets>("ca_targets", {"all", "video"}),
        on_off<&S::can>("can"),
        word<&S::can_mode>("can_mode", {"residual", "direct"}),
        number<&S::can_scale, Sign::Any>("can_scale", "a number"),
        word<&S::cfg_uncond_face>("cfg_uncond_face", {"drop", "keep"}),
        on_off<&S::face_in_ca>("face_in_ca"),
        on_off<&S::face_in_sa>("face_in_sa"),
        word<&S::face_ln>("face_ln", {"shared", "own"}),
        word<&S::face_rope>("face_rope", {"none", "learned_pos"}),
        number<&S::face_scale, Sign::Any>("face_scale", "a number"),
        word<&S::face_stream>("face_stream", {"persistent", "fresh"}),
        integer<&S::face_vit_layer, -2, -1>("face_vit_layer", "-2 or -1"),
        word<&S::fuse_out_norm>("fuse_out_norm", {"none", "layernorm_t5scale", "layernorm"}),
        integer<&S::id_vit_layer, -2, -1>("id_vit_layer", "-1 or -2"),
        word<&S::multi_ref_face>("multi_ref_face", {"concat", "mean"}),
        word<&S::multi_ref_text>("multi_ref_text", {"stack", "mean"}),
        on_off<&S::phi_face>("phi_face"),
        integer<&S::phi_face_hidden, 0, kLargestInteger>("phi_face_hidden", "0 or a width up to 1048576"),
        word<&S::ref_crop>("ref_crop", {"square_face", "whole", "arcface112"}),
        number<&S::ref_crop_expand, Sign::Any>("ref_crop_expand", "a number"),
        number<&S::sa_scale, Sign::NotNegative>("sa_scale", "a number from 0 on"),
        integer<&S::start_merge_step, 0, kLargestInteger>("start_merge_step", "an integer from 0 on"),
        word<&S::tau_face_init>("tau_face_init", {"random", "tau_id"}),
        on_off<&S::text_fuse>("text_fuse"),
        trigger_word(),
    };
}

template <typename T>
std::optional<T> parse_number(const std::string& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace

std::optional<SwitchValue> SwitchSpec::from_text(const std::string& text) const {
    if (kind == SwitchKind::Word || kind == SwitchKind::Text) return SwitchValue(text);
    if (kind == SwitchKind::Integer) {
        const auto value = parse_number<std::int64_t>(text);
        return value ? std::optional<SwitchValue>(*value) : std::nullopt;
    }
    const auto value = parse_number<double>(text);
    return value ? std::optional<SwitchValue>(*value) : std::nullopt;
}

std::string SwitchSpec::allowed() const {
    if (kind != SwitchKind::Word) return std::string(range);
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
        list += words[i];
    }
    return list;
}

std::span<const SwitchSpec> switch_table() {
    static const std::vector<SwitchSpec> table = make_table();
    return table;
}

const SwitchSpec* find_switch(std::string_view name) {
    for (const SwitchSpec& spec : switch_table()) {
        if (spec.name == name) return &spec;
    }
    return nullptr;
}

}  // namespace mirror::engine::magic_mirror
