#include "engine/media/mp4_sink.h"

#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "engine/core/durable_replace.h"
#include "engine/core/limits.h"
#include "engine/core/result.h"
#include "engine/core/utf8.h"
#include "engine/media/mp4_writer.h"
#include "engine/media/video_file.h"

namespace mirror::media {
namespace {

std::uint64_t big_endian(const unsigned char* bytes, int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
    return value;
}

// Whether the index comes before the pictures, so that the file plays while it is still being copied.
bool index_is_first(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    unsigned char box[16];
    while (stream.read(reinterpret_cast<char*>(box), 8)) {
        const std::string kind(reinterpret_cast<char*>(box) + 4, 4);
        if (kind == "moov" || kind == "mdat") return kind == "moov";
        std::uint64_t size = big_endian(box, 4);
        std::uint64_t header = 8;
        if (size == 1) {
            if (!stream.read(reinterpret_cast<char*>(box) + 8, 8)) return false;
            size = big_endian(box + 8, 8);
            header = 16;
        }
        if (size < header) return false;
        stream.seekg(static_cast<std::streamoff>(size - header), std::ios::cur);
    }
    return false;
}

class Mp4Sink : public VideoSink {
public:
    Mp4Sink(std::filesystem::path file, Mp4Options options)
        : file_(std::move(file)), shown_(path_for_message(file_.filename())), options_(options) {
        silence_ffmpeg();
    }

    void begin(const VideoSpec& spec, const std::string& recipe) override {
        check_spec(spec);
        spec_ = spec;
        recipe_ = recipe;
        writer_.reset();
        temporary_.emplace(value_or_throw(TemporaryFile::create_beside(file_)));
        const Mp4Settings settings{spec.width, spec.height, spec.rate, options_.quality, recipe};
        writer_ = std::make_unique<Mp4Writer>(temporary_->path(), settings, shown_);
    }

    void write(const Frame& frame) override {
        if (!writer_) fail("is not open for writing.");
        const std::size_t bytes = static_cast<std::size_t>(spec_.width) * static_cast<std::size_t>(spec_.height) * 3;
        if (frame.width != spec_.width || frame.height != spec_.height || frame.rgb.size() != bytes)
            fail("could not be written: frame " + std::to_string(writer_->frames() + 1) + " has another size.");
        writer_->write(frame);
    }

    void finish() override {
        if (!writer_) fail("is not open for writing.");
        if (writer_->frames() == 0) fail("could not be written: the video has no frames.");
        const std::int64_t frames = writer_->frames();
        writer_->close();
        writer_.reset();
        verify(frames);
        value_or_throw(temporary_->publish());
        temporary_.reset();
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw EngineError(ErrorCode::WriteFailed, shown_ + " " + what);
    }

    void check_spec(const VideoSpec& spec) const {
        const auto is_possible = [](int side) { return side >= 2 && side <= limits::kVideoSide && side % 2 == 0; };
        if (!is_possible(spec.width) || !is_possible(spec.height))
            fail("could not be written: the sides of an H.264 video are even and at most " +
                 std::to_string(limits::kVideoSide) + ".");
        if (spec.rate.numerator < 1 || spec.rate.denominator < 1)
            fail("could not be written: the frame rate must be positive.");
    }

    // Reads the finished file back as a player would.
    void verify(std::int64_t frames) const {
        std::int64_t decoded = 0;
        const Result<VideoInfo> info = decode_video(temporary_->path(), [&](Frame) {
            ++decoded;
            return true;
        });
        const double seconds =
            static_cast<double>(frames) * spec_.rate.denominator / static_cast<double>(spec_.rate.numerator);
        const double one_frame = seconds / static_cast<double>(frames);
        const bool right = info.ok() && decoded == frames && info.value().width == spec_.width &&
                           info.value().height == spec_.height && info.value().recipe == recipe_ &&
                           std::abs(info.value().seconds - seconds) <= one_frame && index_is_first(temporary_->path());
        if (!right) fail("could not be read back after writing and was discarded.");
    }

    std::filesystem::path file_;
    std::string shown_;
    Mp4Options options_;
    VideoSpec spec_;
    std::string recipe_;
    std::optional<TemporaryFile> temporary_;
    std::unique_ptr<Mp4Writer> writer_;  // Closes the temporary before that is removed.
};

}  // namespace

std::unique_ptr<VideoSink> make_mp4_sink(std::filesystem::path file, Mp4Options options) {
    return std::make_unique<Mp4Sink>(std::move(file), options);
}

}  // namespace mirror::media
