#include "tests/proof/proof_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/training/people/caption.h"

namespace mirror::proof {

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> groups_of(const std::vector<JudgedClip>& clips) {
    std::vector<std::string> groups;
    for (const JudgedClip& clip : clips)
        if (std::find(groups.begin(), groups.end(), clip.plan.group) == groups.end()) groups.push_back(clip.plan.group);
    return groups;
}

std::string fixed(double value, int digits) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

std::string fixed(const std::optional<double>& value, int digits) { return value ? fixed(*value, digits) : "-"; }

std::string percent(double share) { return fixed(100 * share, 1) + " %"; }

Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json json_of(const GroupScores& scores) {
    return {{"clips", scores.clips},
            {"top_1", scores.top_1},
            {"top_5", scores.top_5},
            {"action", scores.action},
            {"place", scores.place},
            {"action_and_place", scores.both},
            {"style", scores.style},
            {"similarity", scores.similarity},
            {"similarity_to_others", scores.similarity_to_other},
            {"id_sim_judge", json_of(scores.id_sim_judge)},
            {"id_sim_model", json_of(scores.id_sim_model)},
            {"decay_judge", json_of(scores.decay_judge)},
            {"decay_model", json_of(scores.decay_model)},
            {"fm_ref", json_of(scores.fm_ref)},
            {"fm_inter", json_of(scores.fm_inter)},
            {"dynamic", scores.dynamic},
            {"flow_speed", scores.flow_speed},
            {"within_shot", json_of(scores.within_shot)}};
}

// One row of the first table.
std::string who_row(const std::string& title, const GroupScores& scores) {
    if (scores.clips == 0) return {};
    return "| " + title + " | " + std::to_string(scores.clips) + " | " + percent(scores.top_1) + " | " +
           percent(scores.top_5) + " | " + percent(scores.action) + " | " + percent(scores.place) + " | " +
           fixed(scores.similarity, 3) + " / " + fixed(scores.similarity_to_other, 3) + " |\n";
}

std::string how_row(const std::string& title, const GroupScores& scores, double real_speed) {
    if (scores.clips == 0) return {};
    return "| " + title + " | " + fixed(scores.id_sim_judge, 3) + " | " + fixed(scores.id_sim_model, 3) + " | " +
           fixed(scores.decay_judge, 3) + " | " + fixed(scores.fm_ref, 3) + " | " + fixed(scores.fm_inter, 3) + " | " +
           percent(scores.dynamic) + " | " + fixed(scores.flow_speed, 2) + " | " +
           (real_speed > 0 ? percent(scores.flow_speed / real_speed) : "-") + " |\n";
}

const std::vector<std::pair<std::string, std::string>>& main_groups() {
    static const std::vector<std::pair<std::string, std::string>> all{{"real", "drawn clips"},
                                                                      {"vae", "drawn, through the autoencoder"},
                                                                      {"on", "adapter on"},
                                                                      {"off", "adapter off"}};
    return all;
}

std::string main_tables(const std::vector<JudgedClip>& clips) {
    std::string text =
        "| clips | number | person, first of 64 | among five | action | place | likeness to the person / to others |\n"
        "|---|---|---|---|---|---|---|\n";
    for (const auto& [group, title] : main_groups()) text += who_row(title, scores_of_group(group, clips));
    text +=
        "\n| clips | ID similarity (judge) | (model's recogniser) | decay | FM ref | FM inter | dynamic | speed | of "
        "the "
        "drawn |\n|---|---|---|---|---|---|---|---|---|\n";
    const double real_speed = scores_of_group("real", clips).flow_speed;
    for (const auto& [group, title] : main_groups()) text += how_row(title, scores_of_group(group, clips), real_speed);
    return text;
}

std::string strength_table(const std::vector<JudgedClip>& clips) {
    std::string text =
        "| identity strength | person, first of 64 | likeness | action | place |\n|---|---|---|---|---|\n";
    for (const std::string& group : groups_of(clips)) {
        if (!group.starts_with("strength-")) continue;
        const GroupScores scores = scores_of_group(group, clips);
        text += "| " + group.substr(9) + " | " + percent(scores.top_1) + " | " + fixed(scores.similarity, 3) + " | " +
                percent(scores.action) + " | " + percent(scores.place) + " |\n";
    }
    return text;
}

std::string style_table(const std::vector<JudgedClip>& clips) {
    std::string text = "| style asked for | clips | recognised |\n|---|---|---|\n";
    for (int style = 0; style < people::kStyles; ++style) {
        int count = 0, right = 0;
        for (const JudgedClip& clip : clips) {
            if (clip.plan.group != "styles" || clip.plan.scene.style != static_cast<people::Style>(style)) continue;
            ++count;
            right += clip.has_style();
        }
        text += "| " + std::string(people::name_of(static_cast<people::Style>(style))) + " | " + std::to_string(count) +
                " | " + (count > 0 ? percent(static_cast<double>(right) / count) : "-") + " |\n";
    }
    return text;
}

std::string further_lines(const std::vector<JudgedClip>& clips) {
    const GroupScores on = scores_of_group("on", clips), off = scores_of_group("off", clips);
    const GroupScores held_out = scores_of_group("held-out", clips);
    return "- Prompt score (mean of action and place): adapter on " + percent(on.prompt()) + ", off " +
           percent(off.prompt()) +
           ".\n- Pairs of action and place that neither the base nor the adapter was trained on: action " +
           percent(held_out.action) + ", place " + percent(held_out.place) + ", person " + percent(held_out.top_1) +
           " of " + std::to_string(held_out.clips) + " clips.\n- One person: two frames of one shot are alike by " +
           fixed(on.within_shot, 3) + ", of two shots by " + fixed(similarity_across_shots("on", clips), 3) +
           "; drawn clips by " + fixed(scores_of_group("real", clips).within_shot, 3) + " and " +
           fixed(similarity_across_shots("real", clips), 3) + ".\n";
}

}  // namespace

std::string clips_csv(const std::vector<JudgedClip>& clips) {
    std::string text =
        "group,name,person,strength,action,place,style,seen_person,rank,seen_action,seen_place,seen_style,similarity,"
        "similarity_to_others,id_sim_judge,id_sim_model,decay,fm_ref,fm_inter,dynamic,flow_speed\n";
    for (const JudgedClip& clip : clips) {
        const people::SceneRequest& scene = clip.plan.scene;
        for (const std::string& field : {clip.plan.group,
                                         clip.plan.name,
                                         std::to_string(clip.plan.person),
                                         fixed(clip.plan.strength, 2),
                                         std::string(people::name_of(scene.action)),
                                         std::string(people::name_of(scene.place)),
                                         std::string(people::name_of(scene.style)),
                                         std::to_string(clip.chosen),
                                         std::to_string(clip.rank),
                                         std::string(people::name_of(clip.action)),
                                         std::string(people::name_of(clip.place)),
                                         std::string(people::name_of(clip.style)),
                                         fixed(clip.similarity, 4),
                                         fixed(clip.similarity_to_other, 4),
                                         fixed(clip.by_judge.id_similarity, 4),
                                         fixed(clip.by_model.id_similarity, 4),
                                         fixed(clip.by_judge.decay, 4),
                                         fixed(clip.by_judge.fm_ref, 4),
                                         fixed(clip.by_judge.fm_inter, 4),
                                         std::string(clip.by_judge.dynamic.dynamic ? "1" : "0")})
            text += field + ",";
        text += fixed(clip.by_judge.dynamic.speed, 3) + "\n";
    }
    return text;
}

std::string report_json(const ProofFacts& facts, const std::vector<JudgedClip>& clips) {
    Json groups = Json::object();
    for (const std::string& group : groups_of(clips)) groups[group] = json_of(scores_of_group(group, clips));
    const Json report = {{"model", facts.model},
                         {"judge", facts.judge},
                         {"random_weights", facts.random_weights},
                         {"complete", facts.complete},
                         {"frames", facts.video.frames},
                         {"width", facts.video.width},
                         {"height", facts.video.height},
                         {"steps", facts.sampling.steps},
                         {"guidance", facts.sampling.guidance},
                         {"references", facts.references},
                         {"portraits_tried_for_one", facts.portraits_tried},
                         {"groups", groups},
                         {"across_shots", json_of(similarity_across_shots("on", clips))},
                         {"across_drawn_shots", json_of(similarity_across_shots("real", clips))}};
    return report.dump(2) + "\n";
}

std::string report_markdown(const ProofFacts& facts, const std::vector<JudgedClip>& clips) {
    std::string text =
        "People that no network was trained on, " + std::to_string(facts.video.frames) + " frames of " +
        std::to_string(facts.video.width) + "x" + std::to_string(facts.video.height) + ", " +
        std::to_string(facts.sampling.steps) + " steps, guidance " + fixed(facts.sampling.guidance, 1) + ", " +
        std::to_string(facts.references) + " portrait" + (facts.references == 1 ? "" : "s") +
        " of each; the judge was trained on other people and shares no network with the model. Chance is "
        "1.6 % for the person and 10 % for action and place.";
    if (facts.random_weights) text += " **The model has random weights: this only shows that the program runs.**";
    if (!facts.complete) text += " **Not all clips of the plan are in these tables.**";
    return text + "\n\n" + main_tables(clips) + "\n" + further_lines(clips) + "\n" + strength_table(clips) + "\n" +
           style_table(clips);
}

}  // namespace mirror::proof
