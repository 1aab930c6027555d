#pragma once

// Strings in order, to find all those that a text begins with: one narrowing of a range for each byte, no tree to
// build.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mirror::engine {

class PrefixIndex {
public:
    PrefixIndex() = default;
    // `texts` are not empty and unique. Results are positions in this order.
    explicit PrefixIndex(std::vector<std::string> texts);

    // Calls found(index, length) for each text that `text` begins with, shortest first.
    template <typename Found>
    void walk(std::string_view text, Found found) const;

private:
    struct Entry {
        std::string text;
        std::size_t index;
    };
    static unsigned char byte_at(const Entry& entry, std::size_t at) {
        return static_cast<unsigned char>(entry.text[at]);
    }

    std::vector<Entry> entries_;                 // Sorted by text.
    std::array<std::size_t, 257> first_byte_{};  // Those beginning with byte b: first_byte_[b] .. first_byte_[b + 1].
};

inline PrefixIndex::PrefixIndex(std::vector<std::string> texts) {
    entries_.reserve(texts.size());
    for (std::size_t index = 0; index < texts.size(); ++index) entries_.push_back({std::move(texts[index]), index});
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.text < b.text; });
    for (unsigned byte = 0; byte <= 256; ++byte) {
        const auto at = std::partition_point(entries_.begin(), entries_.end(),
                                             [=](const Entry& e) { return byte_at(e, 0) < byte; });
        first_byte_[byte] = static_cast<std::size_t>(at - entries_.begin());
    }
}

template <typename Found>
void PrefixIndex::walk(std::string_view text, Found found) const {
    if (text.empty()) return;
    const auto lead = static_cast<unsigned char>(text[0]);
    auto low = entries_.begin() + static_cast<std::ptrdiff_t>(first_byte_[lead]);
    auto high = entries_.begin() + static_cast<std::ptrdiff_t>(first_byte_[lead + 1u]);
    for (std::size_t length = 1; low != high; ++length) {
        if (low->text.size() == length) {  // The shortest with this beginning sorts first.
            found(low->index, length);
            ++low;
        }
        if (length == text.size()) return;
        const auto byte = static_cast<unsigned char>(text[length]);
        low = std::partition_point(low, high, [=](const Entry& e) { return byte_at(e, length) < byte; });
        high = std::partition_point(low, high, [=](const Entry& e) { return byte_at(e, length) == byte; });
    }
}

}  // namespace mirror::engine
