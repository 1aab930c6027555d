#pragma once

// YuNet, the face detector of OpenCV's model zoo (Wu et al., A Tiny Millisecond-level Face Detector, 2023), in both
// published forms: 2022mar, which OpenCV before 4.8 decodes, and 2023mar, which only later ones do.

#include <filesystem>
#include <memory>
#include <vector>

#include "engine/face/canvas_detector.h"

namespace mirror::face {

class OnnxNetwork;

class YunetDetector : public CanvasDetector {
public:
    // The file is read at first use. EngineError there: MissingFile, MalformedFile.
    explicit YunetDetector(std::filesystem::path network);
    ~YunetDetector() override;

protected:
    std::vector<FaceBox> detect_on(const Frame& canvas) override;

private:
    std::filesystem::path file_;
    std::unique_ptr<OnnxNetwork> network_;
};

}  // namespace mirror::face
