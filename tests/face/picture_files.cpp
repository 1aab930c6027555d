#include "tests/face/picture_files.h"

#include <webp/encode.h>
#include <webp/mux.h>
#include <zlib.h>

#include <cstdio>
#include <fstream>
#include <opencv2/imgcodecs.hpp>

#include <jpeglib.h>

namespace mirror::face::testing {
namespace {

void put16(FileBytes& bytes, unsigned value, bool little) {
    const std::uint8_t low = value & 255u, high = (value >> 8) & 255u;
    bytes.push_back(little ? low : high);
    bytes.push_back(little ? high : low);
}

void put32(FileBytes& bytes, unsigned value, bool little) {
    put16(bytes, little ? value & 65535u : value >> 16, little);
    put16(bytes, little ? value >> 16 : value & 65535u, little);
}

}  // namespace

FileBytes encoded(const std::string& extension, const cv::Mat& picture, const std::vector<int>& options) {
    FileBytes bytes;
    cv::imencode(extension, picture, bytes, options);
    return bytes;
}

cv::Mat sample_picture(int width, int height) {
    cv::Mat picture(height, width, CV_8UC3);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            picture.at<cv::Vec3b>(y, x) =
                cv::Vec3b(static_cast<std::uint8_t>(x * 9 + y), static_cast<std::uint8_t>(y * 17),
                          static_cast<std::uint8_t>(200 - 5 * x + 3 * y));
    return picture;
}

Frame sample_frame(int width, int height) {
    const cv::Mat picture = sample_picture(width, height);
    Frame frame{width, height, {}};
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 2; c >= 0; --c) frame.rgb.push_back(picture.at<cv::Vec3b>(y, x)[c]);
    return frame;
}

FileBytes exif_block(std::uint16_t orientation, bool little) {
    FileBytes block = little ? FileBytes{'I', 'I', '*', 0} : FileBytes{'M', 'M', 0, '*'};
    put32(block, 8, little);
    put16(block, 2, little);  // Entries: the maker's name, then the orientation.
    put16(block, 0x010F, little);
    put16(block, 2, little);
    put32(block, 3, little);
    put32(block, 0x41424300, little);
    put16(block, 0x0112, little);
    put16(block, 3, little);
    put32(block, 1, little);
    put16(block, orientation, little);
    put16(block, 0, little);
    put32(block, 0, little);
    return block;
}

FileBytes with_jpeg_exif(const FileBytes& jpeg, const FileBytes& block) {
    FileBytes bytes{0xFF, 0xD8, 0xFF, 0xE1};
    put16(bytes, static_cast<unsigned>(block.size() + 8), false);
    for (const char letter : {'E', 'x', 'i', 'f', '\0', '\0'}) bytes.push_back(static_cast<std::uint8_t>(letter));
    bytes.insert(bytes.end(), block.begin(), block.end());
    bytes.insert(bytes.end(), jpeg.begin() + 2, jpeg.end());
    return bytes;
}

namespace {

// Behind the header, `count` times.
FileBytes with_png_chunk(const FileBytes& png, const std::string& kind, const FileBytes& block, int count = 1) {
    constexpr std::ptrdiff_t after_header = 8 + 25;
    FileBytes chunk(kind.begin(), kind.end());
    chunk.insert(chunk.end(), block.begin(), block.end());
    FileBytes bytes(png.begin(), png.begin() + after_header);
    for (int i = 0; i < count; ++i) {
        put32(bytes, static_cast<unsigned>(block.size()), false);
        bytes.insert(bytes.end(), chunk.begin(), chunk.end());
        put32(bytes, static_cast<unsigned>(crc32(0, chunk.data(), static_cast<unsigned>(chunk.size()))), false);
    }
    bytes.insert(bytes.end(), png.begin() + after_header, png.end());
    return bytes;
}

}  // namespace

FileBytes with_png_exif(const FileBytes& png, const FileBytes& block) { return with_png_chunk(png, "eXIf", block); }

FileBytes with_png_texts(const FileBytes& png, int count, std::size_t length) {
    const FileBytes text(length, ' ');
    FileBytes packed(compressBound(length));
    uLongf size = packed.size();
    compress2(packed.data(), &size, text.data(), length, 9);
    FileBytes block{'C', 'o', 'm', 'm', 'e', 'n', 't', 0, 0};  // The keyword, and deflate.
    block.insert(block.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
    return with_png_chunk(png, "zTXt", block, count);
}

FileBytes ink_jpeg(int width, int height, std::array<std::uint8_t, 4> inks, bool adobe) {
    jpeg_compress_struct info{};
    jpeg_error_mgr errors{};
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* target = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &target, &size);
    info.image_width = static_cast<unsigned>(width);
    info.image_height = static_cast<unsigned>(height);
    info.input_components = 4;
    info.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 100, TRUE);
    info.write_Adobe_marker = adobe;
    jpeg_start_compress(&info, TRUE);
    std::vector<std::uint8_t> row;
    for (int x = 0; x < width; ++x)
        for (const std::uint8_t ink : inks) row.push_back(adobe ? static_cast<std::uint8_t>(255 - ink) : ink);
    for (int y = 0; y < height; ++y) {
        JSAMPROW line = row.data();
        jpeg_write_scanlines(&info, &line, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    FileBytes bytes(target, target + size);
    std::free(target);
    return bytes;
}

FileBytes repeated_scans(const FileBytes& progressive, int times) {
    const auto marker_after = [&](std::size_t from, std::uint8_t kind) {
        for (std::size_t at = from; at + 1 < progressive.size(); ++at) {
            const std::uint8_t next = progressive[at + 1];
            const bool any = kind == 0 && next != 0 && next != 0xFF;
            if (progressive[at] == 0xFF && (any || (kind != 0 && next == kind))) return at;
        }
        return progressive.size();
    };
    const std::size_t first = marker_after(2, 0xDA);
    const std::size_t end = marker_after(first + 2, 0);
    const FileBytes scan(progressive.begin() + static_cast<long>(first), progressive.begin() + static_cast<long>(end));
    FileBytes bytes(progressive.begin(), progressive.begin() + static_cast<long>(end));
    for (int i = 0; i < times; ++i) bytes.insert(bytes.end(), scan.begin(), scan.end());
    bytes.insert(bytes.end(), progressive.begin() + static_cast<long>(end), progressive.end());
    return bytes;
}

FileBytes animated_webp(const std::vector<cv::Mat>& pictures) {
    WebPAnimEncoder* encoder = WebPAnimEncoderNew(pictures[0].cols, pictures[0].rows, nullptr);
    WebPConfig config;
    WebPConfigInit(&config);
    config.lossless = 1;
    int time = 0;
    for (const cv::Mat& picture : pictures) {
        WebPPicture frame;
        WebPPictureInit(&frame);
        frame.use_argb = 1;
        frame.width = picture.cols;
        frame.height = picture.rows;
        WebPPictureImportBGR(&frame, picture.data, static_cast<int>(picture.step));
        WebPAnimEncoderAdd(encoder, &frame, time, &config);
        WebPPictureFree(&frame);
        time += 100;
    }
    WebPAnimEncoderAdd(encoder, nullptr, time, nullptr);
    WebPData data;
    WebPAnimEncoderAssemble(encoder, &data);
    FileBytes bytes(data.bytes, data.bytes + data.size);
    WebPDataClear(&data);
    WebPAnimEncoderDelete(encoder);
    return bytes;
}

std::filesystem::path TestFolder::write(const std::string& name, const FileBytes& bytes) const {
    std::ofstream stream(path() / name, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return path() / name;
}

}  // namespace mirror::face::testing
