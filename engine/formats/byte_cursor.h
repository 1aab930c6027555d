#pragma once

// Walks over little-endian bytes and never beyond them. Used inside engine/formats only; failures leave as
// FormatFailure.

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mirror::formats {

// Caught at the edge of engine/formats and turned into an Error. what() has no file name and no full stop.
class FormatFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class ByteCursor {
public:
    // `what` names the bytes in a failure: "the pickle".
    ByteCursor(std::span<const std::byte> bytes, std::string what) : bytes_(bytes), what_(std::move(what)) {}

    std::uint8_t u8() { return static_cast<std::uint8_t>(integer(1)); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(integer(2)); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(integer(4)); }
    std::uint64_t u64() { return integer(8); }

    std::string_view text(std::uint64_t length) {
        const auto part = take(length);
        return {reinterpret_cast<const char*>(part.data()), part.size()};
    }

    std::span<const std::byte> take(std::uint64_t length) {
        if (length > left()) throw FormatFailure(what_ + " ends too early");
        const auto part = bytes_.subspan(at_, length);
        at_ += length;
        return part;
    }

    std::size_t position() const { return at_; }
    std::size_t left() const { return bytes_.size() - at_; }

private:
    std::uint64_t integer(std::size_t width) {
        std::uint64_t value = 0;
        std::size_t shift = 0;
        for (const std::byte byte : take(width)) {
            value |= std::to_integer<std::uint64_t>(byte) << shift;
            shift += 8;
        }
        return value;
    }

    std::span<const std::byte> bytes_;
    std::string what_;
    std::size_t at_ = 0;
};

}  // namespace mirror::formats
