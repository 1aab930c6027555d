#include "engine/media/video_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "engine/core/limits.h"
#include "engine/core/utf8.h"
#include "engine/media/colour.h"
#include "engine/media/ffmpeg.h"

extern "C" {
#include <libavutil/display.h>
}

namespace mirror::media {
namespace {

// Containers only: playlists and lists of files would lead elsewhere.
constexpr const char* formats = "mov,mp4,matroska,webm,avi,mpegts,mpeg,ogg,gif,flv,ivf";

struct InputCloser {
    void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};
using Input = std::unique_ptr<AVFormatContext, InputCloser>;

std::string shown_name(const std::filesystem::path& file) {
    return path_for_message(file.has_filename() ? file.filename() : file);
}

Error refused(const std::string& name, const std::string& reason) {
    return {ErrorCode::MalformedFile, name + " " + reason};
}

std::optional<Error> check_file(const std::filesystem::path& file, const std::string& name) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        const ErrorCode code = errno == ENOENT || errno == ENOTDIR ? ErrorCode::MissingFile : ErrorCode::MalformedFile;
        return Error{code, name + " cannot be read: " + std::strerror(errno) + "."};
    }
    if (S_ISDIR(status.st_mode)) return refused(name, "is a folder, not a video.");
    if (!S_ISREG(status.st_mode)) return refused(name, "is not a regular file and cannot be read as a video.");
    return std::nullopt;
}

// Quarter turns clockwise that the player is asked for.
int quarter_turns(const AVStream& stream) {
    const std::uint8_t* matrix = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
    if (!matrix) return 0;
    const double angle = -av_display_rotation_get(reinterpret_cast<const std::int32_t*>(matrix));
    if (!std::isfinite(angle)) return 0;
    return static_cast<int>((std::lround(angle / 90.0) % 4 + 4) % 4);
}

class VideoReader {
public:
    // Opens the file and fills info(); nothing is decoded beyond what FFmpeg needs to know the streams.
    std::optional<Error> open(const std::filesystem::path& file) {
        silence_ffmpeg();
        name_ = shown_name(file);
        if (auto wrong = check_file(file, name_)) return wrong;
        if (auto wrong = open_input(file)) return wrong;
        for (unsigned i = 0; i < input_->nb_streams; ++i) input_->streams[i]->discard = AVDISCARD_ALL;
        const int best = av_find_best_stream(input_.get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder_kind_, 0);
        if (best < 0 || !decoder_kind_) return refused(name_, "holds no video that can be decoded.");
        stream_ = input_->streams[best];
        stream_->discard = AVDISCARD_DEFAULT;
        const AVCodecParameters& parameters = *stream_->codecpar;
        if (parameters.width < 1 || parameters.height < 1) return refused(name_, "is damaged: its video has no size.");
        if (parameters.width > limits::kVideoSide || parameters.height > limits::kVideoSide)
            return refused(name_,
                           "is too large: a video may have " + std::to_string(limits::kVideoSide) + " pixels a side.");
        describe();
        return std::nullopt;
    }

    std::optional<Error> decode(const std::function<bool(Frame)>& take) {
        if (auto wrong = open_decoder()) return wrong;
        const Packet packet(av_packet_alloc());
        for (;;) {
            const int got = av_read_frame(input_.get(), packet.get());
            if (got == AVERROR_EOF) return drain(nullptr, take);
            if (got < 0) return broken(got);
            std::optional<Error> wrong;
            if (packet->stream_index == stream_->index) wrong = drain(packet.get(), take);
            av_packet_unref(packet.get());
            if (wrong || stopped_) return wrong;
        }
    }

    const VideoInfo& info() const { return info_; }

private:
    std::optional<Error> open_input(const std::filesystem::path& file) {
        AVFormatContext* format = avformat_alloc_context();
        if (!format) return refused(name_, "needs more memory than there is.");
        format->max_streams = static_cast<int>(limits::kVideoStreams);
        Options options;
        options.set("protocol_whitelist", "file");
        options.set("format_whitelist", formats);
        const int opened = avformat_open_input(&format, ffmpeg_url(file).c_str(), nullptr, options.get());
        if (opened < 0) return broken(opened);  // The context is freed.
        input_.reset(format);
        const int found = avformat_find_stream_info(format, nullptr);
        if (found < 0) return broken(found);
        return std::nullopt;
    }

    void describe() {
        const AVCodecParameters& parameters = *stream_->codecpar;
        turns_ = quarter_turns(*stream_);
        info_.width = turns_ % 2 ? parameters.height : parameters.width;
        info_.height = turns_ % 2 ? parameters.width : parameters.height;
        const AVRational rate = av_guess_frame_rate(input_.get(), stream_, nullptr);
        if (rate.num > 0 && rate.den > 0) info_.rate = {rate.num, rate.den};
        info_.frames = stream_->nb_frames;
        if (stream_->duration != AV_NOPTS_VALUE)
            info_.seconds = static_cast<double>(stream_->duration) * av_q2d(stream_->time_base);
        else if (input_->duration != AV_NOPTS_VALUE)
            info_.seconds = static_cast<double>(input_->duration) / AV_TIME_BASE;
        info_.codec = avcodec_get_name(parameters.codec_id);
        const AVDictionaryEntry* comment = av_dict_get(input_->metadata, "comment", nullptr, 0);
        if (comment && comment->value[0] == '{') info_.recipe = comment->value;
    }

    std::optional<Error> open_decoder() {
        decoder_.reset(avcodec_alloc_context3(decoder_kind_));
        int code = decoder_ ? avcodec_parameters_to_context(decoder_.get(), stream_->codecpar) : AVERROR(ENOMEM);
        if (code < 0) return broken(code);
        decoder_->max_pixels = static_cast<std::int64_t>(limits::kVideoSide) * limits::kVideoSide;
        decoder_->pkt_timebase = stream_->time_base;
        code = avcodec_open2(decoder_.get(), decoder_kind_, nullptr);
        if (code < 0) return broken(code);
        return std::nullopt;
    }

    // Hands `packet` (null at the end) to the decoder and takes every picture it gives.
    std::optional<Error> drain(const AVPacket* packet, const std::function<bool(Frame)>& take) {
        const int sent = avcodec_send_packet(decoder_.get(), packet);
        if (sent < 0) return broken(sent);
        const Picture picture(av_frame_alloc());
        for (;;) {
            const int got = avcodec_receive_frame(decoder_.get(), picture.get());
            if (got == AVERROR(EAGAIN) || got == AVERROR_EOF) return std::nullopt;
            if (got < 0) return broken(got);
            if (picture->width != stream_->codecpar->width || picture->height != stream_->codecpar->height)
                return refused(name_, "changes its size in the middle, which is not supported.");
            Frame frame;
            if (!to_rgb(*picture, frame)) return refused(name_, "has a pixel format that is not supported.");
            if (!take(turned(std::move(frame), turns_))) {
                stopped_ = true;
                return std::nullopt;
            }
        }
    }

    Error broken(int code) const {
        return refused(name_, "cannot be read as a video: " + describe_ffmpeg_error(code) + ".");
    }

    std::string name_;
    Input input_;
    const AVCodec* decoder_kind_ = nullptr;
    AVStream* stream_ = nullptr;  // The input's.
    Codec decoder_;
    VideoInfo info_;
    int turns_ = 0;
    bool stopped_ = false;
};

}  // namespace

Result<VideoInfo> probe_video(const std::filesystem::path& file) {
    VideoReader reader;
    if (auto wrong = reader.open(file)) return *wrong;
    return reader.info();
}

Result<VideoInfo> decode_video(const std::filesystem::path& file, const std::function<bool(Frame)>& take) {
    VideoReader reader;
    if (auto wrong = reader.open(file)) return *wrong;
    try {
        if (auto wrong = reader.decode(take)) return *wrong;
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory, shown_name(file) + " needs more memory than there is."};
    }
    return reader.info();
}

Result<Video> read_video(const std::filesystem::path& file, std::int64_t max_frames) {
    Video video;
    if (max_frames < 1) return Error{ErrorCode::InvalidRequest, "At least one frame of a video must be asked for."};
    const Result<VideoInfo> info = decode_video(file, [&](Frame frame) {
        video.frames.push_back(std::move(frame));
        return static_cast<std::int64_t>(video.frames.size()) < max_frames;
    });
    if (!info) return info.error();
    if (video.frames.empty()) return refused(shown_name(file), "holds no frames.");
    video.info = info.value();
    return video;
}

}  // namespace mirror::media
