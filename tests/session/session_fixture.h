#pragma once

// A session on the tiny checkpoint, with references drawn on the spot and a sink that keeps the frames in memory.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/session/session.h"
#include "tests/session/tiny_checkpoint.h"

namespace mirror::engine::testing {

// Answers every photograph with one face, whose picture depends on the file's name; a name with "nobody" has none, one
// with "drawn" a drawn one.
class DrawnFaces : public FaceReader {
public:
    Result<Frame> load(const std::filesystem::path& photo) override { return picture(photo, 64); }
    Result<PhotoFaces> find(const std::filesystem::path& photo) override {
        return PhotoFaces{photo, 64, 64, {FaceBox{}}};
    }
    Result<std::vector<FaceBox>> find(const Frame&) override { return std::vector<FaceBox>{FaceBox{}}; }
    Result<FaceCrops> crops(const Frame&, const FaceBox&) override {
        return FaceCrops{picture("crop", 112), picture("crop", 224)};
    }
    Result<ReferenceFace> reference(const ReferencePhoto& photo, ReferenceCrop, double, int image_size) override {
        if (photo.file.string().find("nobody") != std::string::npos)
            return Error{ErrorCode::NoFaceFound, "there is no face in '" + photo.file.string() + "'"};
        FaceBox face;
        face.drawn = photo.file.string().find("drawn") != std::string::npos;
        return ReferenceFace{face, picture(photo.file, 112), picture(photo.file, image_size)};
    }

private:
    static Frame picture(const std::filesystem::path& photo, int side) {
        const std::size_t name = std::hash<std::string>{}(photo.string());
        Frame frame{side, side, std::vector<std::uint8_t>(static_cast<std::size_t>(side) * side * 3)};
        for (std::size_t i = 0; i < frame.rgb.size(); ++i)
            frame.rgb[i] = static_cast<std::uint8_t>((i * 7 + name) % 251);
        return frame;
    }
};

class MemorySink : public VideoSink {
public:
    void begin(const VideoSpec& video, const std::string& recipe_json) override {
        if (at_begin) at_begin();
        spec = video;
        recipe = recipe_json;
    }
    void write(const Frame& frame) override {
        if (fail_at >= 0 && static_cast<int>(frames.size()) == fail_at)
            throw EngineError(ErrorCode::WriteFailed, "the disk is full");
        frames.push_back(frame.rgb);
    }
    void finish() override { finished = true; }

    VideoSpec spec;
    std::string recipe;
    std::vector<std::vector<std::uint8_t>> frames;
    bool finished = false;
    int fail_at = -1;
    std::function<void()> at_begin;
};

class SessionTest : public ::testing::Test {
protected:
    SessionTest() : session_(open_session(std::make_unique<DrawnFaces>())) {}

    static GenerationRequest request() {
        GenerationRequest request;
        request.model = tiny_checkpoint();
        request.prompt = {"a man img smiles", ""};
        request.video = {32, 32, 9, {8, 1}};
        request.sampling.steps = 3;
        request.sampling.seed = 7;
        request.references = {{"anna.jpg", {}}};
        return request;
    }

    Result<GenerationReport> run(const GenerationRequest& request, VideoSink& sink,
                                 const std::string& latents = "latents") {
        return session_->generate(request, {file(latents)}, sink, observer_, stop_.get_token());
    }

    std::filesystem::path file(const std::string& name) const { return folder_.path() / (name + ".safetensors"); }

    TemporaryFolder folder_;
    std::unique_ptr<Session> session_;
    Observer observer_{{}, 0};
    std::stop_source stop_;
};

}  // namespace mirror::engine::testing
