import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from net import Net

FEATURES = ["temperature", "vibration", "pressure", "hours"]
EPOCHS = 12
torch.manual_seed(17)
torch.set_num_threads(1)


def tensors(name):
    table = pd.read_csv(f"data/{name}.csv")
    x = torch.tensor(table[FEATURES].to_numpy(), dtype=torch.float32)
    return x, torch.tensor(table["broke"].to_numpy(), dtype=torch.float32)[:, None]


x, y = tensors("train")
x_val, y_val = tensors("val")
net = Net(x.mean(0), x.std(0))
optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
loss_of = nn.BCELoss()
for epoch in range(EPOCHS):
    net.train()
    for rows, labels in DataLoader(TensorDataset(x, y), batch_size=128, shuffle=True):
        optimiser.zero_grad()
        loss_of(net(rows), labels).backward()
        optimiser.step()
    net.eval()
    with torch.no_grad():
        print(f"epoch {epoch}: validation loss {loss_of(net(x_val), y_val):.4f}")

program = torch.export.export(net, (x[:4],), dynamic_shapes=({0: torch.export.Dim("rows")},))
torch.export.save(program, "model.pt2")
