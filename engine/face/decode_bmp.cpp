#include <algorithm>
#include <array>
#include <bit>

#include "engine/face/picture_decoders.h"

namespace mirror::face {
namespace {

constexpr std::size_t file_header = 14;
constexpr std::uint32_t core_header = 12;  // OS/2's; all later ones have at least 40 bytes.

enum Compression : std::uint32_t { Plain = 0, Runs8 = 1, Runs4 = 2, BitFields = 3, AlphaBitFields = 6 };

struct BmpHeader {
    std::int64_t width = 0;
    std::int64_t height = 0;
    bool top_down = false;
    std::uint32_t bits = 0;
    std::uint32_t compression = Plain;
    std::size_t palette = 0;       // Where it starts.
    std::size_t palette_step = 4;  // Bytes of an entry.
    std::size_t colours = 0;
    std::size_t pixels = 0;  // Where they start.
    std::array<std::uint32_t, 4> masks{};
};

std::uint32_t alpha_mask(Bytes file, std::uint32_t header_size, std::uint32_t compression) {
    const bool has_mask = compression == AlphaBitFields || (compression == BitFields && header_size >= 56);
    return has_mask ? little32(file, file_header + 52) : 0;
}

void read_masks(Bytes file, std::uint32_t header_size, BmpHeader& header) {
    if (header.compression == BitFields || header.compression == AlphaBitFields) {
        for (std::size_t i = 0; i < 3; ++i) header.masks[i] = little32(file, file_header + 40 + 4 * i);
        header.masks[3] = alpha_mask(file, header_size, header.compression);
        if (header_size == 40) header.palette += header.compression == AlphaBitFields ? 16 : 12;
    } else if (header.bits == 16) {
        header.masks = {0x7C00, 0x03E0, 0x001F, 0};
    } else if (header.bits == 32) {
        // The fourth byte of plain 32-bit pixels means nothing; most programs leave it 0.
        header.masks = {0x00FF0000, 0x0000FF00, 0x000000FF, 0};
    }
}

std::optional<BmpHeader> read_header(Bytes file) {
    const std::uint32_t size = little32(file, file_header);
    BmpHeader header;
    header.pixels = little32(file, 10);
    header.palette = file_header + size;
    if (size == core_header) {
        header.width = little16(file, 18);
        header.height = little16(file, 20);
        header.bits = little16(file, 24);
        header.palette_step = 3;
    } else if (size >= 40 && size <= 256) {
        header.width = static_cast<std::int32_t>(little32(file, 18));
        const std::int64_t height = static_cast<std::int32_t>(little32(file, 22));
        header.top_down = height < 0;
        header.height = header.top_down ? -height : height;
        header.bits = little16(file, 28);
        header.compression = little32(file, 30);
        header.colours = little32(file, 46);
        read_masks(file, size, header);
    } else {
        return std::nullopt;
    }
    if (header.bits <= 8 && (header.colours == 0 || header.colours > 256))
        header.colours = std::size_t{1} << header.bits;
    return header;
}

bool is_supported(const BmpHeader& header) {
    switch (header.compression) {
        case Plain:
            return header.bits == 1 || header.bits == 4 || header.bits == 8 || header.bits == 16 || header.bits == 24 ||
                   header.bits == 32;
        case Runs8:
            return header.bits == 8 && !header.top_down;
        case Runs4:
            return header.bits == 4 && !header.top_down;
        case BitFields:
        case AlphaBitFields:
            return header.bits == 16 || header.bits == 32;
        default:
            return false;
    }
}

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

Palette read_palette(Bytes file, const BmpHeader& header) {
    Palette palette{};
    for (std::size_t i = 0; i < std::min<std::size_t>(header.colours, 256); ++i) {
        const std::size_t at = header.palette + i * header.palette_step;
        for (std::size_t c = 0; c < 3; ++c) palette[i][c] = static_cast<std::uint8_t>(byte_at(file, at + 2 - c));
    }
    return palette;
}

// The bits of `mask` in `pixel` as 0 to 255.
std::uint32_t field(std::uint32_t pixel, std::uint32_t mask, std::uint32_t fallback) {
    if (mask == 0) return fallback;
    const int shift = std::countr_zero(mask);
    const std::uint64_t most = mask >> shift;
    return static_cast<std::uint32_t>(((pixel & mask) >> shift) * std::uint64_t{255} / most);
}

void read_row(Bytes row, const BmpHeader& header, const Palette& palette, std::uint8_t* rgb) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x, rgb += 3) {
        if (header.bits <= 8) {
            const std::size_t per_byte = 8 / header.bits;
            const std::size_t shift = 8 - header.bits * (x % per_byte + 1);
            const std::size_t index = (byte_at(row, x / per_byte) >> shift) & ((1u << header.bits) - 1u);
            for (std::size_t c = 0; c < 3; ++c) rgb[c] = palette[index][c];
        } else if (header.bits == 24) {
            for (std::size_t c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>(byte_at(row, 3 * x + 2 - c));
        } else {
            const std::uint32_t pixel = header.bits == 16 ? little16(row, 2 * x) : little32(row, 4 * x);
            const std::uint32_t alpha = field(pixel, header.masks[3], 255);
            for (std::size_t c = 0; c < 3; ++c) rgb[c] = on_white(field(pixel, header.masks[c], 0), alpha);
        }
    }
}

bool read_plain(Bytes file, const BmpHeader& header, const Palette& palette, Frame& frame) {
    const std::size_t stride = (static_cast<std::size_t>(header.width) * header.bits + 31) / 32 * 4;
    if (header.pixels > file.size() ||
        (file.size() - header.pixels) / stride < static_cast<std::size_t>(frame.height)) {
        // Some writers do not pad the last row.
        const std::size_t bare = (static_cast<std::size_t>(header.width) * header.bits + 7) / 8;
        const std::size_t need = header.pixels + stride * static_cast<std::size_t>(frame.height - 1) + bare;
        if (need > file.size()) return false;
    }
    for (int y = 0; y < frame.height; ++y) {
        const std::size_t at = header.pixels + stride * static_cast<std::size_t>(y);
        read_row(file.subspan(at), header, palette, frame.row(header.top_down ? y : frame.height - 1 - y));
    }
    return true;
}

// Run lengths: pairs of (count, colour) and, after a zero, orders: 0 next row, 1 end, 2 move, else so many single
// pixels.
class RunReader {
public:
    RunReader(Bytes file, const BmpHeader& header, const Palette& palette, Frame& frame)
        : file_(file), at_(header.pixels), four_(header.compression == Runs4), palette_(palette), frame_(frame) {}

    bool read() {
        for (std::size_t i = 0; i < frame_.rgb.size(); ++i) frame_.rgb[i] = palette_[0][i % 3];
        while (at_ + 2 <= file_.size()) {
            const std::uint32_t count = file_[at_];
            const std::uint32_t value = file_[at_ + 1];
            at_ += 2;
            if (count > 0) {
                for (std::uint32_t i = 0; i < count; ++i) put(four_ ? (i % 2 ? value & 15u : value >> 4) : value);
            } else if (value == 1) {
                return true;
            } else if (!obey(value)) {
                return false;
            }
        }
        return y_ == frame_.height;  // Some writers leave out the end.
    }

private:
    bool obey(std::uint32_t order) {
        if (order == 0) {
            x_ = 0;
            move(0, 1);
            return true;
        }
        if (order == 2) {
            move(static_cast<int>(byte_at(file_, at_)), static_cast<int>(byte_at(file_, at_ + 1)));
            at_ += 2;
            return true;
        }
        const std::size_t bytes = four_ ? (order + 1) / 2 : order;
        if (at_ + bytes > file_.size()) return false;
        for (std::uint32_t i = 0; i < order; ++i) {
            const std::uint32_t value = file_[at_ + (four_ ? i / 2 : i)];
            put(four_ ? (i % 2 ? value & 15u : value >> 4) : value);
        }
        at_ += bytes + bytes % 2;
        return true;
    }

    // Not beyond the edge, from where nothing leads back: a file may ask for any number of moves.
    void move(int right, int up) {
        x_ = std::min(x_ + right, frame_.width);
        y_ = std::min(y_ + up, frame_.height);
    }

    void put(std::uint32_t index) {
        if (x_ == frame_.width || y_ == frame_.height) return;
        std::uint8_t* rgb = frame_.row(frame_.height - 1 - y_) + 3 * x_;
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = palette_[index][c];
        ++x_;
    }

    Bytes file_;
    std::size_t at_;
    bool four_;
    const Palette& palette_;
    Frame& frame_;
    int x_ = 0;  // At most the width: then outside, until the next row.
    int y_ = 0;  // From the bottom, at most the height.
};

}  // namespace

std::optional<PictureSize> bmp_size(Bytes file) {
    const std::optional<BmpHeader> header = read_header(file);
    if (!header) return std::nullopt;
    return PictureSize{header->width, header->height};
}

Result<Frame> decode_bmp(Bytes file, const std::string& name) {
    const std::optional<BmpHeader> header = read_header(file);
    if (!header) return damaged(name, "BMP");
    if (!is_supported(*header))
        return Error{ErrorCode::MalformedFile,
                     name + " is a kind of BMP picture that is not supported; save it as PNG."};
    const Palette palette = read_palette(file, *header);
    Frame frame = make_frame(header->width, header->height);
    const bool runs = header->compression == Runs8 || header->compression == Runs4;
    const bool read =
        runs ? RunReader(file, *header, palette, frame).read() : read_plain(file, *header, palette, frame);
    if (!read) return damaged(name, "BMP");
    return frame;
}

}  // namespace mirror::face
