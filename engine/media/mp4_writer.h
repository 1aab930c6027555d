#pragma once

// Encodes frames to H.264 and puts them into an MP4 file. Knows nothing of final names; see mp4_sink.h.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/core/frame.h"
#include "engine/media/colour.h"
#include "engine/media/ffmpeg.h"

namespace mirror::media {

struct Mp4Settings {
    int width = 0;
    int height = 0;
    FrameRate rate;
    int quality = 16;
    std::string recipe;
};

// Every function throws EngineError (WriteFailed); `shown` is what the sentence calls the file.
class Mp4Writer {
public:
    Mp4Writer(const std::filesystem::path& file, const Mp4Settings& settings, std::string shown);
    ~Mp4Writer();
    Mp4Writer(const Mp4Writer&) = delete;
    Mp4Writer& operator=(const Mp4Writer&) = delete;

    void write(const Frame& frame);
    // Writes what the encoder holds back and the index, and closes the file.
    void close();

    std::int64_t frames() const { return frames_; }

private:
    struct FormatCloser {
        void operator()(AVFormatContext* format) const;
    };

    void open_encoder(const Mp4Settings& settings);
    void open_file(const std::filesystem::path& file, const Mp4Settings& settings);
    void encode(const AVFrame* picture);
    void check(int code) const;

    std::string shown_;
    VideoEncoderColours colours_;
    Codec encoder_;
    std::unique_ptr<AVFormatContext, FormatCloser> format_;
    AVStream* stream_ = nullptr;  // The format's.
    Picture picture_;
    Packet packet_;
    std::int64_t frames_ = 0;
};

}  // namespace mirror::media
