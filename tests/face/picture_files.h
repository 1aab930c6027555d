#pragma once

// Picture files made in memory, good and bad ones, and a folder to put them in.

#include <array>
#include <cstdint>
#include <filesystem>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "tests/support/scratch_folder.h"

namespace mirror::face::testing {

using FileBytes = std::vector<std::uint8_t>;

// OpenCV's encoder for the extension; `picture` is BGR, BGRA or grey, 8 or 16 bits.
FileBytes encoded(const std::string& extension, const cv::Mat& picture, const std::vector<int>& options = {});

// A picture without symmetry: every orientation of it differs.
cv::Mat sample_picture(int width, int height);
Frame sample_frame(int width, int height);  // The same, as the reader should return it.

// An APP1 segment (JPEG) or eXIf chunk (PNG) put into a file. `block` is what comes after the prefix.
FileBytes exif_block(std::uint16_t orientation, bool little_endian);
FileBytes with_jpeg_exif(const FileBytes& jpeg, const FileBytes& block);
FileBytes with_png_exif(const FileBytes& png, const FileBytes& block);

// With so many compressed texts (zTXt), each of so many spaces.
FileBytes with_png_texts(const FileBytes& png, int count, std::size_t length);

// A JPEG of one colour of four inks, 255 being full ink. Adobe's programs store them inverted and add their marker.
FileBytes ink_jpeg(int width, int height, std::array<std::uint8_t, 4> inks, bool adobe);

// A progressive JPEG whose first scan comes `times` times more.
FileBytes repeated_scans(const FileBytes& progressive, int times);

// A lossless animation with one picture after the other.
FileBytes animated_webp(const std::vector<cv::Mat>& pictures);

class TestFolder {
public:
    const std::filesystem::path& path() const { return scratch_.path(); }
    std::filesystem::path write(const std::string& name, const FileBytes& bytes) const;

private:
    mirror::testing::ScratchFolder scratch_;
};

}  // namespace mirror::face::testing
