#pragma once

// Every limit on what is read from outside, in one table. Parsers take them from here; the tests try each at -1, 0 and
// +1.

#include <cstddef>
#include <cstdint>

namespace mirror::limits {

inline constexpr std::uint64_t kSafetensorsHeaderBytes = 100'000'000;  // The reference reader's value.
inline constexpr std::size_t kTensors = 1'000'000;
inline constexpr std::size_t kTensorRank = 8;
inline constexpr std::size_t kTensorNameBytes = 1024;

inline constexpr std::uint64_t kShardIndexBytes = 64u << 20;
inline constexpr std::uint64_t kConfigBytes = 4u << 20;
inline constexpr std::size_t kJsonDepth = 64;

inline constexpr std::size_t kArchiveEntries = 100'000;
inline constexpr std::size_t kPickleBytes = 16u << 20;
inline constexpr std::size_t kPickleStack = 1'000'000;
inline constexpr std::size_t kPickleMemo = 1'000'000;
inline constexpr std::size_t kPickleValues = 1'000'000;
inline constexpr std::size_t kPickleDepth = 32;  // Dictionaries within dictionaries.

inline constexpr std::int64_t kPhotographSide = 65'535;
inline constexpr std::int64_t kPhotographPixels = std::int64_t{1} << 28;  // 1 GiB with four bytes a pixel.
// Pixels that are believed without asking how many bytes the file has for them, and how many each byte can hold: a bit
// a pixel, deflated at its best, is 8,256.
inline constexpr std::int64_t kPhotographPixelsUnasked = std::int64_t{1} << 24;
inline constexpr std::int64_t kPhotographPixelsPerByte = 8256;
inline constexpr std::int64_t kPhotographFileBytes = std::int64_t{224} << 20;
// Of the file and all that it takes to decode it, together: 75 million pixels of a small JPEG file.
inline constexpr std::int64_t kPhotographMemory = kPhotographFileBytes;
inline constexpr int kJpegScans = 500;

inline constexpr int kVideoSide = 8192;
inline constexpr unsigned kVideoStreams = 64;

inline constexpr int kMaxFrames = 1025;
inline constexpr int kMinSide = 16;
inline constexpr int kMaxSide = 8192;
inline constexpr int kMaxSteps = 1000;
inline constexpr double kMaxGuidance = 100.0;
inline constexpr double kMaxIdentityStrength = 1.5;
inline constexpr std::size_t kMaxReferences = 4;
inline constexpr int kMaxFaces = 10'000;
inline constexpr int kMaxFramesPerSecond = 120;

inline constexpr std::size_t kProjectCharacters = 100;
inline constexpr std::size_t kProjectShots = 1000;
inline constexpr std::size_t kProjectNameBytes = 200;
inline constexpr std::size_t kProjectTextBytes = 64u << 10;
inline constexpr std::size_t kProjectPathBytes = 1024;
inline constexpr std::size_t kFileNameBytes = 255;
inline constexpr std::size_t kPackedEntries = 10'000;
inline constexpr std::uint64_t kPackedEntryBytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kPackedBytes = std::uint64_t{4} << 30;  // Of all entries together, unpacked.

}  // namespace mirror::limits
