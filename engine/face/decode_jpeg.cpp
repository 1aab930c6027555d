#include <algorithm>
#include <csetjmp>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include "engine/core/limits.h"
#include "engine/face/picture_decoders.h"

namespace mirror::face {
namespace {

// libjpeg's error manager with a way out. Nothing is printed.
struct ErrorExit {
    jpeg_error_mgr manager;  // First, so that libjpeg's pointer to it is a pointer to this.
    std::jmp_buf out;
    bool cut_short = false;
    bool too_many_scans = false;
};

struct Decompressor {
    Decompressor() {
        install();
        info.err = &errors.manager;
    }
    ~Decompressor() { jpeg_destroy_decompress(&info); }
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;

    void install();

    jpeg_decompress_struct info{};
    ErrorExit errors{};
    jpeg_progress_mgr progress{};
};

ErrorExit& exit_of(j_common_ptr info) { return *reinterpret_cast<ErrorExit*>(info->err); }

void leave(j_common_ptr info) { std::longjmp(exit_of(info).out, 1); }

void note_warning(j_common_ptr info, int level) {
    if (level >= 0) return;
    const int code = info->err->msg_code;
    if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER) exit_of(info).cut_short = true;
}

void print_nothing(j_common_ptr) {}

// A progressive file may hold any number of scans over the same pixels.
void count_scans(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= limits::kJpegScans) return;
    exit_of(info).too_many_scans = true;
    leave(info);
}

void Decompressor::install() {
    jpeg_std_error(&errors.manager);
    errors.manager.error_exit = leave;
    errors.manager.emit_message = note_warning;
    errors.manager.output_message = print_nothing;
    progress.progress_monitor = count_scans;
}

// libjpeg knows no conversion from inks to RGB. Adobe's programs write the inks inverted and say so with their marker.
void inks_to_rgb(const std::uint8_t* inks, bool inverted, std::uint8_t* rgb, int width) {
    for (int x = 0; x < width; ++x) {
        // Where both lie over each other, the black is read before it is written over.
        const unsigned black = inverted ? inks[4 * x + 3] : 255u - inks[4 * x + 3];
        for (int c = 0; c < 3; ++c) {
            const unsigned ink = inverted ? inks[4 * x + c] : 255u - inks[4 * x + c];
            rgb[3 * x + c] = static_cast<std::uint8_t>((ink * black + 127u) / 255u);
        }
    }
}

// Only trivially destructible locals here: libjpeg leaves through longjmp.
bool decode_rows(Decompressor& jpeg, Bytes file, int orientation, Frame& frame, std::vector<std::uint8_t>& row) {
    jpeg_decompress_struct& info = jpeg.info;
    if (setjmp(jpeg.errors.out)) return false;
    jpeg_create_decompress(&info);
    info.progress = &jpeg.progress;
    jpeg_mem_src(&info, file.data(), file.size());
    jpeg_read_header(&info, TRUE);
    const bool four_inks = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
    info.out_color_space = four_inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    frame = make_upright_frame(info.output_width, info.output_height, orientation);
    row.resize(static_cast<std::size_t>(info.output_width) * 4);
    while (info.output_scanline < info.output_height) {
        const int y = static_cast<int>(info.output_scanline);
        JSAMPROW target = row.data();
        jpeg_read_scanlines(&info, &target, 1);
        if (four_inks) inks_to_rgb(row.data(), info.saw_Adobe_marker, row.data(), static_cast<int>(info.output_width));
        place_row(row.data(), y, orientation, frame);
    }
    return true;
}

std::int64_t coefficients_per_pixel(const jpeg_decompress_struct& info) {
    int sum = 0;
    for (int i = 0; i < info.num_components; ++i)
        sum += info.comp_info[i].h_samp_factor * info.comp_info[i].v_samp_factor;
    const int largest = std::max(1, info.max_h_samp_factor * info.max_v_samp_factor);
    return (sum + largest - 1) / largest;
}

bool read_size(Decompressor& jpeg, Bytes file, PictureSize& size) {
    if (setjmp(jpeg.errors.out)) return false;
    jpeg_create_decompress(&jpeg.info);
    jpeg_mem_src(&jpeg.info, file.data(), file.size());
    jpeg_read_header(&jpeg.info, TRUE);
    size = {jpeg.info.image_width, jpeg.info.image_height};
    // Of several scans, and progressive ones, all coefficients are kept: two bytes each, at most so many a pixel.
    if (jpeg_has_multiple_scans(&jpeg.info)) size.bytes_per_pixel += coefficients_per_pixel(jpeg.info) * 2;
    return true;
}

}  // namespace

std::optional<PictureSize> jpeg_size(Bytes file) {
    Decompressor jpeg;
    PictureSize size;
    if (!read_size(jpeg, file, size)) return std::nullopt;
    return size;
}

Result<Frame> decode_jpeg(Bytes file, int orientation, const std::string& name) {
    Decompressor jpeg;
    Frame frame;
    std::vector<std::uint8_t> row;
    const bool decoded = decode_rows(jpeg, file, orientation, frame, row);
    if (jpeg.errors.too_many_scans)
        return Error{ErrorCode::MalformedFile,
                     name + " has more than " + std::to_string(limits::kJpegScans) + " JPEG scans and is refused."};
    if (!decoded) return damaged(name, "JPEG");
    if (jpeg.errors.cut_short)
        return Error{ErrorCode::MalformedFile, name + " is damaged: its JPEG data end too early."};
    return frame;
}

}  // namespace mirror::face
