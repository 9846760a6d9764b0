package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerGroups(*service.Registry, *Service) {}
