#pragma once

// The switches by name: how each is read, checked and written. Only adapter_config.cpp needs this.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/identity/magic_mirror/adapter_config.h"

namespace mirror::engine::magic_mirror {

// As a file or a command line gives it; monostate is a value of a kind that no switch has.
using SwitchValue = std::variant<std::monostate, std::string, std::int64_t, double>;

enum class SwitchKind { Word, Text, Integer, Number };

struct SwitchSpec {
    std::string_view name;
    SwitchKind kind;
    std::vector<std::string_view> words;  // Of a Word: in the order of the enumerators; "on" before "off".
    std::string_view range;               // Of the others: what is allowed, for messages.
    bool (*set)(const SwitchSpec&, Switches&, const SwitchValue&);  // False: impossible value.
    std::string (*json)(const SwitchSpec&, const Switches&);

    std::optional<SwitchValue> from_text(const std::string& text) const;  // Empty: not of this kind.
    std::string allowed() const;
};

std::span<const SwitchSpec> switch_table();  // Sorted by name.
const SwitchSpec* find_switch(std::string_view name);

}  // namespace mirror::engine::magic_mirror
