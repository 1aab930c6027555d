#pragma once

// The proof as files: every clip (CSV), every group (JSON), and the tables for the documents (Markdown).

#include <string>
#include <vector>

#include "tests/proof/proof_scores.h"

namespace mirror::proof {

struct ProofFacts {
    std::string model, judge;
    VideoSpec video;
    SamplingSpec sampling;
    int references = 1;
    double portraits_tried = 0;  // For one with a face that the program finds.
    bool complete = false;       // False: a quick look, or not all clips are made yet.
    bool random_weights = false;
};

std::string clips_csv(const std::vector<JudgedClip>& clips);
std::string report_json(const ProofFacts& facts, const std::vector<JudgedClip>& clips);
std::string report_markdown(const ProofFacts& facts, const std::vector<JudgedClip>& clips);

}  // namespace mirror::proof
