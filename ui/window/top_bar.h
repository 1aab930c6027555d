#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace mirror::ui {

class IconButton;

// The bar above everything: the program, the take that is shown, where it runs, and what is done with the finished
// clip.
class TopBar : public QWidget {
    Q_OBJECT

public:
    explicit TopBar(QWidget* parent = nullptr);

    void setTake(const QString& words);
    void setPlace(const QString& device, const QString& model);
    QPushButton& saveButton() const { return *save_; }
    IconButton& menuButton() const { return *menu_; }

private:
    QLabel* take_;
    QLabel* device_;
    QLabel* model_;
    QPushButton* save_;
    IconButton* menu_;
};

}  // namespace mirror::ui
