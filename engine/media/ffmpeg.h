#pragma once

// FFmpeg's objects with owners, its errors as sentences, and its log kept from the terminal.

#include <filesystem>
#include <memory>
#include <string>

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>
#include <libswscale/swscale.h>
}

namespace mirror::media {

struct PacketDeleter {
    void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct PictureDeleter {
    void operator()(AVFrame* picture) const { av_frame_free(&picture); }
};
struct CodecDeleter {
    void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct ScalerDeleter {
    void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
using Packet = std::unique_ptr<AVPacket, PacketDeleter>;
using Picture = std::unique_ptr<AVFrame, PictureDeleter>;
using Codec = std::unique_ptr<AVCodecContext, CodecDeleter>;
using Scaler = std::unique_ptr<SwsContext, ScalerDeleter>;

// Options of one call; what FFmpeg did not know stays inside and is freed.
class Options {
public:
    Options() = default;
    ~Options() { av_dict_free(&dictionary_); }
    Options(const Options&) = delete;
    Options& operator=(const Options&) = delete;

    void set(const char* key, const std::string& value) { av_dict_set(&dictionary_, key, value.c_str(), 0); }
    AVDictionary** get() { return &dictionary_; }

private:
    AVDictionary* dictionary_ = nullptr;
};

// From now on FFmpeg prints nothing; the last error of each thread is kept. May be called any number of times.
void silence_ffmpeg();

// "No space left on device", or the last error that FFmpeg logged on this thread if the code alone says little.
std::string describe_ffmpeg_error(int code);

// The name under which FFmpeg opens exactly this file: no protocol, no pattern, no option.
std::string ffmpeg_url(const std::filesystem::path& file);

}  // namespace mirror::media
