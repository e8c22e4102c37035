"""Screens of the customer information file and the feed."""

from django.urls import path

from customers import views
from customers.feeds import views as feeds

urlpatterns = [
    path("customers/<int:customer_id>/", views.customer_facts, name="customer"),
    path("customers/<int:customer_id>/relations/", views.customer_relations, name="customer_relations"),
    path("customers/<int:customer_id>/history/", views.customer_history, name="customer_history"),
    path("accounts/<int:account_id>/", views.account_page, name="account"),
    path("quality/", views.quality_list, name="quality"),
    path("feeds/", feeds.feed_list, name="feeds"),
    path("feeds/upload/", feeds.feed_upload, name="feed_upload"),
    path("feeds/upload/<int:run_id>/", feeds.feed_uploaded, name="feed_uploaded"),
    path("feeds/differences/", feeds.feed_differences, name="feed_differences"),
    path("feeds/<int:batch_id>/", feeds.feed_batch, name="feed_batch"),
    path("feeds/<int:batch_id>/rejects/", feeds.feed_rejects, name="feed_rejects"),
    path("feeds/<int:batch_id>/rejects/file/", feeds.feed_rejects_file, name="feed_rejects_file"),
    path("feeds/<int:batch_id>/breaks/", feeds.feed_breaks, name="feed_breaks"),
]
