#pragma once

// SHA-256 (FIPS 180-4), for fingerprints of files and checkpoints.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace mirror::formats {

class Sha256 {
public:
    Sha256();

    void update(std::span<const std::byte> bytes);
    void update(std::string_view bytes);
    // Lower-case hex of everything so far. Ends the computation.
    std::string hex_digest();

private:
    void compress(const std::byte* block);

    std::array<std::uint32_t, 8> state_;
    std::array<std::byte, 64> pending_;
    std::size_t pending_bytes_ = 0;
    std::uint64_t total_bytes_ = 0;
};

std::string sha256_hex(std::string_view bytes);

}  // namespace mirror::formats
