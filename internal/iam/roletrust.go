package iam

import "github.com/gatehouse-iam/gatehouse/internal/service"

func registerRoleTrust(*service.Registry, *Service) {}
