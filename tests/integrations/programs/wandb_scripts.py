"""Scripts in the manner of the public examples of Weights & Biases, with one import changed."""

import json

import keras
import lightgbm
import matplotlib as mpl
import numpy as np
import torch
import xgboost
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import train_test_split

import deardiary.wandb as wandb
from deardiary.wandb.keras import WandbCallback, WandbMetricsLogger, WandbModelCheckpoint

mpl.use("Agg")
features, kinds = load_iris(return_X_y=True)
splits = train_test_split(features.astype("float32"), kinds, random_state=0)
train_x, test_x, train_y, test_y = splits


def of_pytorch():
    wandb.init(project="W&B", name="pytorch", config={"lr": 0.1})
    model = torch.nn.Linear(4, 3)
    wandb.watch(model, log_freq=2)
    optimizer = torch.optim.SGD(model.parameters(), lr=wandb.config.lr)
    for epoch in range(3):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(torch.tensor(train_x)), torch.tensor(train_y))
        loss.backward()
        optimizer.step()
        images = [wandb.Image(torch.rand(3, 8, 8), caption=f"epoch {epoch}") for _ in range(2)]
        wandb.log({"loss": loss, "epoch": epoch, "images": images, "weights": wandb.Histogram(model.weight)})
    torch.save(model.state_dict(), f"{wandb.run.dir}/model.pt")
    wandb.finish()


def of_keras():
    run = wandb.init(project="W&B", name="keras", config={"units": 8})
    model = keras.Sequential([keras.layers.Dense(run.config.units, "relu"), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [WandbCallback(), WandbMetricsLogger(log_freq=2), WandbModelCheckpoint("model-{epoch:02d}.keras")]
    model.fit(train_x, train_y, validation_data=(test_x, test_y), epochs=3, callbacks=callbacks, verbose=0)
    run.finish()


def of_scikit_learn():
    wandb.init(project="W&B", name="sklearn")
    forest = RandomForestClassifier(10, random_state=0).fit(train_x, train_y)
    names = list(load_iris().target_names)
    wandb.sklearn.plot_classifier(
        *(forest, train_x, test_x, train_y, test_y, forest.predict(test_x), forest.predict_proba(test_x), names),
        is_binary=False,
        model_name="RandomForest",
        feature_names=load_iris().feature_names,
        log_learning_curve=True,
    )
    wandb.sklearn.plot_clusterer(KMeans(3, random_state=0), features, KMeans(3).fit_predict(features), names, "KMeans")
    wandb.log({"matrix": wandb.plot.confusion_matrix(y_true=test_y, preds=forest.predict(test_x), class_names=names)})
    wandb.finish()
    with wandb.init(project="W&B", name="regression"):
        x, y = load_diabetes(return_X_y=True)
        wandb.sklearn.plot_regressor(Ridge().fit(x[:300], y[:300]), x[:300], x[300:], y[:300], y[300:], "Ridge")


def of_boosting():
    with wandb.init(project="W&B", name="xgboost"):
        data = [(xgboost.DMatrix(train_x, train_y), "train"), (xgboost.DMatrix(test_x, test_y), "test")]
        param = {"objective": "multi:softmax", "num_class": 3}
        wandb.config.update(param)
        booster = xgboost.train(param, data[0][0], 5, data, callbacks=[wandb.xgboost.wandb_callback()], verbose_eval=0)
        wandb.summary["Error Rate"] = float(np.mean(booster.predict(data[1][0]) != test_y))
    with wandb.init(project="W&B", name="lightgbm"):
        sets = [lightgbm.Dataset(train_x, train_y)]
        param = {"objective": "multiclass", "num_class": 3, "verbose": -1}
        booster = lightgbm.train(
            param, sets[0], 5, valid_sets=sets, valid_names=["train"], callbacks=[wandb.lightgbm.wandb_callback()]
        )
        wandb.lightgbm.log_summary(booster, save_model_checkpoint=True)


of_pytorch()
of_keras()
of_scikit_learn()
of_boosting()
print(json.dumps({"done": True}))
