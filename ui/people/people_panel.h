#pragma once

// The person's photographs: an invitation while there are none; then the shown one, what the model sees of it, and the
// others.

#include "ui/people/photo_list.h"
#include "ui/widgets/panel.h"

class QPushButton;
class QStackedLayout;

namespace mirror::ui {

class ModelView;
class PhotoStrip;
class PhotoView;

class PeoplePanel : public Panel {
    Q_OBJECT

public:
    explicit PeoplePanel(PhotoList& list, QWidget* parent = nullptr);

    PhotoView& photoView() const { return *view_; }
    // While something is dragged over the window that could be dropped.
    void setDropOffered(bool offered);
    // Each stays below those before it until they are cleared; the same one is not repeated.
    void addMessage(const QString& sentence);
    void clearMessages();
    QString message() const;

Q_SIGNALS:
    void photosWanted();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QWidget* makeInvitation();
    QWidget* makePerson();
    QWidget* makePersonRow();
    void refresh();
    QString summary() const;
    QString remark() const;

    PhotoList& list_;
    QStackedLayout* pages_;
    QLabel* face_;
    QLabel* counted_;
    PhotoView* view_;
    PhotoStrip* strip_;
    QLabel* seen_;
    ModelView* model_;
    QLabel* remark_;
    QStringList messages_;
    QLabel* message_;
    bool dropOffered_ = false;
};

}  // namespace mirror::ui
